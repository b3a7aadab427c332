/**
 * The certificate that the webhook server shows: an SVID which this server signs for itself, with the DNS names by which
 * the API server calls it. The key never leaves the process. It is replaced at half of its life, when the names change,
 * and when another authority has become active.
 */
import type { ServingCertificate } from '../../disk/certificate-files.ts'
import { createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { type SpiffeId, spiffeId, type TrustDomain } from '../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { X509Ca } from '../ca/x509-ca.ts'
import type { Issuer } from '../issue/issuer.ts'
import { isDue } from '../issue/server-svid.ts'
import type { IssuedX509Svid } from '../issue/x509-svid.ts'

export interface ServingSvidDeps {
  readonly trustDomain: TrustDomain
  readonly issuer: Pick<Issuer, 'issueWorkloadX509Svid'>
  readonly x509: Pick<Authorities<X509Ca>, 'signer' | 'onActivate'>
  readonly clock: Clock
  /** A renewal failed; another attempt follows. */
  readonly onFailure: (error: unknown) => void
}

export interface ServingSvid extends ServingCertificate {
  /** Names that a client may look for; a change brings a new certificate. */
  setDnsNames(names: readonly string[]): void
  /** Renews until the signal aborts. */
  renew(signal: AbortSignal): Promise<void>
}

/** As spire-controller-manager calls it. */
const PATH = '/spire-controller-manager-webhook'
const TTL_SECONDS = 24 * 60 * 60
const CHECK_MS = 5_000
const RETRY_MS = 1_000

interface Minted extends IssuedX509Svid {
  readonly cert: string
  readonly key: string
  readonly dnsNames: readonly string[]
}

/** @throws IdentityError UNAVAILABLE while there is no authority to sign the first one */
export async function openServingSvid(deps: ServingSvidDeps): Promise<ServingSvid> {
  const { x509, clock, onFailure } = deps
  const id = spiffeId(deps.trustDomain, PATH)
  let dnsNames: readonly string[] = []
  let current = await mint(id, dnsNames, deps)
  const bell = createBell()
  const listeners = new Set<() => void>()
  const renewIfDue = async () => {
    const isDone =
      current.dnsNames === dnsNames && !isDue(current, x509.signer()?.authority.id, clock.now())
    if (isDone) return
    current = await mint(id, dnsNames, deps)
    for (const listener of listeners) listener()
  }
  return {
    current: () => current,
    onChange(listener) {
      const entry = () => listener()
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
    setDnsNames(names) {
      if (names.join('\0') === dnsNames.join('\0')) return
      dnsNames = [...names]
      bell.ring()
    },
    async renew(signal) {
      const stopListening = x509.onActivate(bell.ring)
      while (!signal.aborted) {
        bell.reset()
        let pauseMs = CHECK_MS
        try {
          await renewIfDue()
        } catch (error) {
          onFailure(error)
          pauseMs = RETRY_MS
        }
        await clock.sleep(pauseMs, AbortSignal.any([bell.signal(), signal]))
      }
      stopListening()
    },
  }
}

async function mint(
  id: SpiffeId,
  dnsNames: readonly string[],
  { issuer }: ServingSvidDeps,
): Promise<Minted> {
  const key = await generateKey('ec-p256')
  const request = { spki: spkiOf(key), id, dnsNames, ttlSeconds: TTL_SECONDS }
  const svid = await issuer.issueWorkloadX509Svid(request)
  return {
    ...svid,
    dnsNames,
    cert: toPemChain(svid.chain),
    key: String(key.export({ type: 'pkcs8', format: 'pem' })),
  }
}
