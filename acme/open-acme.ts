/**
 * Certificates of the Web for a TLS server of ours, obtained and renewed by ACME on the very port that shows them. The
 * last good one stays until there is a better; a CA that is away costs nothing until it expires.
 */

import type { ServingCertificate } from '../disk/certificate-files.ts'
import type { Clock } from '../spiffe/clock.ts'
import { generateKey } from '../spiffe/key.ts'
import type { Random, RandomBytes } from '../spiffe/random.ts'
import { createCsr } from '../spiffe/x509/csr.ts'
import { sequence } from '../spiffe/x509/der-write.ts'
import { type AccountSettings, openAccount } from './account.ts'
import { type AcmeCache, memoryCache, openCache } from './cache.ts'
import { challengeCertificate, placeholderCertificate } from './challenge-certificate.ts'
import { orderCertificate } from './order.ts'
import { leastPauseMs, retryMs, untilRenewalMs } from './renewal-time.ts'
import { type ShownCertificates, showCertificates } from './shown-certificates.ts'
import type { Exchange } from './transport.ts'
import { judgeCertificate, type WebCertificate } from './web-certificate.ts'

export interface AcmeSettings extends AccountSettings {
  /** In lower case; each gets a certificate of its own. */
  readonly domains: readonly string[]
  /** Undefined: nothing is kept, and every start asks the CA anew. */
  readonly cacheDir: string | undefined
}

export interface AcmeDeps {
  readonly exchange: Exchange
  readonly clock: Clock
  readonly random: Random
  readonly randomBytes: RandomBytes
  onObtained(domain: string, notAfter: Date): void
  /** The last good certificate stays. */
  onFailure(domain: string, error: unknown): void
}

export interface AcmeCertificates extends ServingCertificate {
  /** Obtains what is not there and renews what is, until the signal aborts. To be run once the server listens. */
  follow(signal: AbortSignal): Promise<void>
}

const NO_SUBJECT = sequence()

/** @throws IdentityError CONFIG_INVALID when the cache cannot be used */
export async function openAcme(settings: AcmeSettings, deps: AcmeDeps): Promise<AcmeCertificates> {
  const { domains, cacheDir } = settings
  const cache = cacheDir === undefined ? await memoryCache() : await openCache(cacheDir)
  await cache.accountKey() // one that is damaged is said at the start, not in a log
  const shown = showCertificates(domains, await selfSigned(deps, domains[0] ?? ''))
  const names = await Promise.all(domains.map((domain) => openName(domain, cache, shown, deps)))
  return {
    current: shown.current,
    onChange: shown.onChange,
    tls: shown.tls,
    async follow(signal) {
      const context = { settings, deps, cache, shown }
      await Promise.all(names.map((name) => keepValid(name, context, signal)))
    },
  }
}

interface Name {
  readonly domain: string
  /** As it was in the cache. */
  readonly kept: WebCertificate | undefined
}

interface Context {
  readonly settings: AcmeSettings
  readonly deps: AcmeDeps
  readonly cache: AcmeCache
  readonly shown: ShownCertificates
}

async function selfSigned({ clock, randomBytes }: AcmeDeps, domain: string) {
  const key = await generateKey('ec-p256')
  return placeholderCertificate(domain, { key, now: clock.now(), randomBytes })
}

/** What is kept and of no use any more is said, and replaced. */
async function openName(
  domain: string,
  cache: AcmeCache,
  shown: ShownCertificates,
  { clock, onFailure }: AcmeDeps,
): Promise<Name> {
  try {
    const kept = await cache.find(domain, clock.now())
    if (kept !== undefined) shown.show(domain, kept.shown)
    return { domain, kept }
  } catch (error) {
    onFailure(domain, error)
    return { domain, kept: undefined }
  }
}

async function keepValid({ domain, kept }: Name, context: Context, signal: AbortSignal) {
  const { clock, random, onObtained, onFailure } = context.deps
  let newest = kept
  let failures = 0
  while (!signal.aborted) {
    const waitMs = newest === undefined ? 0 : untilRenewalMs(newest, clock.now())
    if (waitMs > 0) {
      await clock.sleep(waitMs, signal)
      continue
    }
    try {
      newest = await obtain(domain, context, signal)
      context.shown.show(domain, newest.shown)
      failures = 0
      onObtained(domain, newest.notAfter)
      // A disk that does not take it fails the round, yet nothing is ordered again before it is due.
      await context.cache.keep(domain, newest)
      await clock.sleep(leastPauseMs(), signal)
    } catch (error) {
      if (signal.aborted) return
      failures++
      onFailure(domain, error)
      await clock.sleep(retryMs(failures, error, random()), signal)
    }
  }
}

async function obtain(
  domain: string,
  { settings, deps, cache, shown }: Context,
  signal: AbortSignal,
): Promise<WebCertificate> {
  const { exchange, clock, randomBytes } = deps
  const account = await openAccount(settings, { key: await cache.accountKey(), exchange }, signal)
  const [key, proofKey] = [await generateKey('ec-p256'), await generateKey('ec-p256')]
  const csr = createCsr({ key, subject: NO_SUBJECT, dnsNames: [domain] })
  const chain = await orderCertificate(domain, csr, {
    ...{ account, clock, signal },
    prove: (name, keyAuthorization) => {
      const self = { key: proofKey, now: clock.now(), randomBytes }
      return shown.prove(name, challengeCertificate(name, keyAuthorization, self))
    },
  })
  return judgeCertificate(chain, key, { domain, now: clock.now() })
}
