/**
 * Mutual TLS for libraries that call `tls.connect` themselves, such as database drivers. Node refuses the connection
 * unless OpenSSL finds a path to one of our roots, and unless our own check then finds it in the right bundle.
 */
import {
  type ConnectionOptions,
  createSecureContext,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls'
import { peerChain } from '../../proto/peer-chain.ts'
import { type Clock, systemClock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import type { X509Context } from '../x509-context.ts'
import type { Authorize } from './authorize.ts'
import { judgeChain } from './judge-peer.ts'
import { secureContextOptions, type TlsIdentity, usableIdentity } from './tls-identity.ts'

export interface TlsClientOptions extends ConnectionOptions {
  readonly rejectUnauthorized: true
  /** Newest at each reading, so that what is read for each connection rotates. */
  readonly secureContext: SecureContext
  /** For `https.Agent` and undici: a resumed session would not be checked again. */
  readonly maxCachedSessions: 0
  checkServerIdentity(host: string, certificate: PeerCertificate): Error | undefined
}

/**
 * The options for one connection after the other. A library that copies them once keeps the SVID of that moment; for
 * HTTP and gRPC there are functions here that do not. Must not be used together with a `session`.
 */
export function tlsClientOptions(
  source: TlsIdentity,
  authorize: Authorize,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): TlsClientOptions {
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    maxCachedSessions: 0,
    get secureContext() {
      return rootedContextOf(usableIdentity(source, clock))
    },
    // Node calls this only for chains that OpenSSL accepted; it fails closed together with `rejectUnauthorized`.
    checkServerIdentity(_host, certificate) {
      try {
        // Cast: Node passes the detailed form, with the issuers.
        const chain = peerChain(certificate as DetailedPeerCertificate)
        judgeChain(chain, source.current(), { authorize, clock, peer: 'server' })
        return undefined
      } catch (error) {
        if (error instanceof IdentityError) return error
        return new IdentityError('CERTIFICATE_UNTRUSTED', reasonOf(error), { cause: error })
      }
    },
  }
}

const contexts = new WeakMap<X509Context, SecureContext>()

/** With the roots of all bundles: OpenSSL can only say "one of these", which is necessary and not sufficient. */
function rootedContextOf(context: X509Context): SecureContext {
  const known = contexts.get(context)
  if (known !== undefined) return known
  const roots = [...context.bundles.values()].flatMap((bundle) => bundle.x509Authorities)
  const made = createSecureContext({
    ...secureContextOptions(context),
    ca: roots.map(({ der }) => toPem('CERTIFICATE', der)),
    allowPartialTrustChain: true, // an authority need not be self-signed
  })
  contexts.set(context, made)
  return made
}
