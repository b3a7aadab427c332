/**
 * A server's authorities on a real store, which can be started again and again, and made to fail at any
 * call that leaves the process: before that call had its effect, or after it.
 */
import { randomBytes } from 'node:crypto'
import type { Log } from '../../../log/open-log.ts'
import { type LocalBundle, openLocalBundle } from '../../../server/bundle/local-bundle.ts'
import type { KeyStore } from '../../../server/ca/key-store/key-store.ts'
import { memoryKeyStore } from '../../../server/ca/key-store/memory.ts'
import { type Ca, openCa } from '../../../server/ca/open-ca.ts'
import { createIssuer, type Issuer } from '../../../server/issue/issuer.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { type LogLine, memoryLog } from '../../fakes/memory-log.ts'

export const TRUST_DOMAIN = parseTrustDomain('example.org')
export const SERVER_KEY = 'server-1'
const CA_TTL_SECONDS = 24 * 60 * 60

/** The `at`-th call from now on, counted from 1, fails. */
export interface Fault {
  readonly at: number
  readonly when: 'before' | 'after'
}

/** What outlives the server's process. */
export interface Site {
  readonly store: Store
  readonly clock: FakeClock
  keyStore: KeyStore
  /** What all processes have logged. */
  readonly lines: readonly LogLine[]
  readonly log: Log
  fault: Fault | undefined
  /** Calls counted since the fault was set. */
  calls: number
}

export interface RunningServer {
  readonly bundle: LocalBundle
  readonly ca: Ca
  readonly issuer: Issuer
}

export async function openSite(): Promise<Site> {
  const clock = new FakeClock()
  const store = await openStore({ path: ':memory:', clock })
  return { store, clock, ...memoryLog(), keyStore: memoryKeyStore(), fault: undefined, calls: 0 }
}

export interface ServerOptions {
  readonly caTtlSeconds?: number
  readonly disableJwtSvids?: boolean
  readonly jwtIssuer?: string
  readonly agentTtlSeconds?: number
}

export async function startServer(site: Site, options: ServerOptions = {}): Promise<RunningServer> {
  const { store, clock } = site
  const faulty = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async function faultyCall(...args: A): Promise<R> {
      site.calls += 1
      const fails = site.fault?.at === site.calls ? site.fault.when : undefined
      if (fails === 'before') throw new Error('failed before it had an effect')
      const result = await call(...args)
      if (fails === 'after') throw new Error('failed after it had its effect')
      return result
    }
  const bundle = await openLocalBundle(
    { find: faulty(store.bundles.find), update: faulty(store.bundles.update) },
    TRUST_DOMAIN,
  )
  const ca = await openCa(
    {
      trustDomain: TRUST_DOMAIN,
      caKeyType: 'ec-p256',
      caSubject: { country: [], organization: [], commonName: undefined },
      caTtlSeconds: options.caTtlSeconds ?? CA_TTL_SECONDS,
      jwtKeyType: 'ec-p256',
      disableJwtSvids: options.disableJwtSvids ?? false,
    },
    {
      journalStore: { load: faulty(store.caJournal.load), save: faulty(store.caJournal.save) },
      serverKey: SERVER_KEY,
      keyStore: {
        ...site.keyStore,
        ...{ generate: faulty(site.keyStore.generate), load: faulty(site.keyStore.load) },
      },
      publication: bundle,
      clock,
      randomBytes,
      log: site.log,
    },
  )
  const issuer = createIssuer(
    {
      trustDomain: TRUST_DOMAIN,
      caTtlSeconds: options.caTtlSeconds ?? CA_TTL_SECONDS,
      defaultX509SvidTtlSeconds: 3_600,
      defaultJwtSvidTtlSeconds: 300,
      agentTtlSeconds: options.agentTtlSeconds,
      jwtIssuer: options.jwtIssuer,
    },
    { x509: ca.x509, jwt: ca.jwt, clock, randomBytes },
  )
  return { bundle, ca, issuer }
}
