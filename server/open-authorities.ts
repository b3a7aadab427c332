/** Everything that signs, and the bundle that says who may be believed. Resolves when there is something to sign with. */
import { randomBytes } from 'node:crypto'
import type { Log } from '../log/open-log.ts'
import { createBell } from '../spiffe/bell.ts'
import type { Clock } from '../spiffe/clock.ts'
import type { Loop } from '../spiffe/running-loops.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { followBundle } from './bundle/follow.ts'
import { openLocalBundle } from './bundle/local-bundle.ts'
import { pruneBundle } from './bundle/prune.ts'
import { openKeyStore } from './ca/key-store/open-key-store.ts'
import { openCa } from './ca/open-ca.ts'
import type { ServerConfig } from './config.ts'
import { createIssuer } from './issue/issuer.ts'
import type { OpenLedger } from './issue/open-ledger.ts'
import { recordSignatures } from './issue/record-signatures.ts'
import { openServerSvid, renewServerSvid } from './issue/server-svid.ts'
import type { JoinedServers } from './servers/join-servers.ts'
import { knownToOthers, openServers } from './servers/open-servers.ts'
import type { Store } from './store/store.ts'
import { oneServerAtATime } from './store/turns.ts'
import { gaugeX509Ca, meterIssuer } from './telemetry/meter-ca.ts'
import type { UpstreamAuthority } from './upstream/upstream-authority.ts'

export interface AuthoritiesDeps {
  readonly store: Store
  /** Whose authorities these are, among the servers of one store. */
  readonly joined: JoinedServers
  /** Undefined: authorities sign themselves. */
  readonly upstream: UpstreamAuthority | undefined
  readonly signed: OpenLedger
  readonly metrics: Metrics
  readonly clock: Clock
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal
  readonly log: Log
}

/** @throws IdentityError when keys, journal or upstream authority cannot be had */
export async function openAuthorities(
  config: ServerConfig,
  {
    store,
    joined,
    upstream,
    signed: { ledger, rotations },
    metrics,
    clock,
    signal,
    log,
  }: AuthoritiesDeps,
) {
  const bundle = await openLocalBundle(store.bundles, config.trustDomain)
  const { key: serverKey, shared } = joined
  const ca = await openCa(config, {
    journalStore: store.caJournal,
    serverKey,
    keyStore: await openKeyStore(config.keyManager, log),
    publication: bundle,
    upstream,
    clock,
    randomBytes,
    log: log.child({ component: 'ca' }),
    metrics,
    memory: rotations,
    beforeFirst: shared && (() => knownToOthers(bundle, { store, joined, clock, signal })),
  })
  const servers = await openServers({
    ...{ ca, bundle, store, joined, ledger, rotations, hasUpstream: upstream !== undefined },
    ...{ clock, log },
  })
  gaugeX509Ca(ca.x509, { trustDomain: config.trustDomain, metrics, now: () => clock.now() })
  const signing = { x509: ca.x509, jwt: ca.jwt, clock, randomBytes }
  const metered = meterIssuer(createIssuer(config, signing), metrics)
  const issuer = recordSignatures(metered, servers.ledger, config.trustDomain)
  const rotated = <T>(work: () => Promise<T>) => metrics.measure('svid_rotate', work)
  const serverSvid = await rotated(() => openServerSvid(issuer))
  const bundleWritten = createBell()
  const failed = (msg: string) => (err: unknown) => log.error({ err }, msg)
  const loops: readonly Loop[] = [
    ca.rotate,
    ...servers.loops,
    (stop) => {
      const onFailure = failed('Server SVID could not be renewed')
      const svid = { ...serverSvid, renew: () => rotated(serverSvid.renew) }
      return renewServerSvid({ svid, x509: ca.x509, clock, onFailure }, stop)
    },
    (stop) => {
      const onFailure = failed('Bundle could not be read')
      return followBundle({ bundle, written: bundleWritten, clock, onFailure }, stop)
    },
    oneServerAtATime(store.turns, 'prune bundle', [
      (stop) => {
        const onFailure = failed('Bundle could not be pruned')
        const onPruned = () => {
          metrics.count('ca_manager_bundle_pruned')
          log.info('Pruned expired authorities from the bundle')
        }
        return pruneBundle({ bundle, clock, onPruned, onFailure }, stop)
      },
    ]),
  ]
  const { handed, servers: others } = servers
  return {
    ...{ bundle, ca, upstream, issuer, serverSvid, bundleWritten, rotations, ledger, loops },
    ...{ handed, servers: others },
  }
}

export type OpenAuthorities = Awaited<ReturnType<typeof openAuthorities>>
