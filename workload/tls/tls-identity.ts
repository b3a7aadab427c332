/** What the TLS parts need of an X.509 source, and the settings that all our TLS connections share. */
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { toPkcs8 } from '../../spiffe/key.ts'
import { KEY_EXCHANGE_GROUPS, PQ_KEY_EXCHANGE_GROUPS } from '../../spiffe/key-exchange.ts'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import type { X509Context } from '../x509-context.ts'

/** An X509Source, or anything else that knows the newest SVID and bundles. */
export interface TlsIdentity {
  /** @throws IdentityError when there is no identity now: no connection is made or taken then */
  current(): X509Context
  onChange(listener: () => void): Disposable
}

/** @throws IdentityError as `current`; UNAVAILABLE when the own SVID has expired */
export function usableIdentity(source: Pick<TlsIdentity, 'current'>, clock: Clock): X509Context {
  const context = source.current()
  const { id, expiresAt } = context.defaultSvid
  if (expiresAt <= clock.now()) {
    throw new IdentityError(
      'UNAVAILABLE',
      `the X509-SVID ${id} of this process expired at ${expiresAt.toISOString()} and the agent has sent no newer one`,
    )
  }
  return context
}

export type MinTlsVersion = 'TLSv1.2' | 'TLSv1.3'

export function secureContextOptions(
  { defaultSvid }: X509Context,
  minVersion: MinTlsVersion = 'TLSv1.2',
): SecureContextOptions {
  return {
    cert: toPemChain(defaultSvid.chain),
    key: toPem('PRIVATE KEY', toPkcs8(defaultSvid.key)),
    minVersion,
    ecdhCurve: KEY_EXCHANGE_GROUPS,
    // A resumed session would carry an old verdict about the peer. Node itself caches none.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/** For connections that are made without a post-quantum key exchange not at all. They are few, so none is kept. */
export function postQuantumContextOf(context: X509Context): SecureContext {
  const options = secureContextOptions(context, 'TLSv1.3')
  return createSecureContext({ ...options, ecdhCurve: PQ_KEY_EXCHANGE_GROUPS })
}

const contexts = {
  'TLSv1.2': new WeakMap<X509Context, SecureContext>(),
  'TLSv1.3': new WeakMap<X509Context, SecureContext>(),
} as const

/** Built once for each rotation, not for each connection. */
export function secureContextOf(
  context: X509Context,
  minVersion: MinTlsVersion = 'TLSv1.2',
): SecureContext {
  let known = contexts[minVersion].get(context)
  if (known === undefined) {
    known = createSecureContext(secureContextOptions(context, minVersion))
    contexts[minVersion].set(context, known)
  }
  return known
}
