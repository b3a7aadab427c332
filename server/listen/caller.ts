/**
 * Who is at the other end of a connection to the server. Settled once per connection, by the kernel or by
 * our own check of the certificate chain; nothing a caller says in a call changes it.
 */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { IdentityError } from '../../spiffe/error.ts'
import type { PresentedSvid } from '../nodes/judge-agent.ts'

interface RemoteAddress {
  readonly ip: string
  readonly port: number
}

/** Connected over TLS without a certificate: may attest and read the bundle. */
export interface AnonymousCaller extends RemoteAddress {
  readonly kind: 'anonymous'
}

/** Connected with an SVID whose chain was verified against the bundle of its own trust domain. */
export interface PeerCaller extends RemoteAddress {
  readonly kind: 'peer'
  readonly svid: PresentedSvid
  /** Verifies the same chain against the bundle of this moment. @throws IdentityError CERTIFICATE_UNTRUSTED */
  verifyAgain(): Promise<void>
}

/** Connected with a certificate that names nobody: every call is answered with `refusal`. */
export interface UnnamedCaller extends RemoteAddress {
  readonly kind: 'unnamed'
  readonly refusal: IdentityError
}

export type TlsCaller = AnonymousCaller | PeerCaller | UnnamedCaller
export type Caller = UnixCaller | TlsCaller

/** What a log line says about a caller. */
export function describeCaller(caller: Caller | undefined): Record<string, unknown> {
  switch (caller?.kind) {
    case undefined:
      return {}
    case 'unix':
      return { caller_pid: caller.pid, caller_uid: caller.uid }
    case 'peer':
      return { caller_addr: addressOf(caller), caller_id: caller.svid.id }
    case 'anonymous':
    case 'unnamed':
      return { caller_addr: addressOf(caller) }
    default:
      return caller satisfies never
  }
}

export function addressOf({ ip, port }: RemoteAddress): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}
