/** What the servers of one trust domain know of each other and do for each other. Wiring only. */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { isAgentId } from '../../spiffe/id.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { LocalBundle } from '../bundle/local-bundle.ts'
import type { Ca } from '../ca/open-ca.ts'
import type { RotationMemory } from '../ca/rotation-memory.ts'
import type { Authority, Slots } from '../ca/slots.ts'
import type { SigningLedger } from '../issue/signing-ledger.ts'
import { createHandedBundles } from '../nodes/handed-bundles.ts'
import type { Store } from '../store/store.ts'
import { answerQuestions } from './answer-questions.ts'
import { carryOut } from './carry-out.ts'
import { followersOf } from './followers.ts'
import { heardByOthers } from './heard-by-others.ts'
import { coveredBy } from './horizon.ts'
import type { JoinedServers, ServerNews } from './join-servers.ts'
import { NOT_TOLD, type ServerDocument, type SlotIds } from './server-document.ts'
import { trustDomainServers } from './servers.ts'

export interface OpenServersDeps {
  readonly ca: Ca
  readonly bundle: LocalBundle
  readonly store: Store
  readonly joined: JoinedServers
  readonly ledger: SigningLedger
  readonly rotations: RotationMemory
  readonly hasUpstream: boolean
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'error'>
}

const FORGET_EVERY_MS = 60 * 60 * 1_000

/** @throws IdentityError when the store does not answer, or another process has this server's place in it */
export async function openServers(deps: OpenServersDeps) {
  const { ca, bundle, store, joined, ledger, rotations, hasUpstream, clock, log } = deps
  const { key, self, shared } = joined
  const handed = createHandedBundles(clock, (svid) => isAgentId(svid.id) && ledger.noteSeen(svid))
  const news = (): ServerNews => ({
    x509: idsOf(ca.x509.slots()),
    jwt: ca.jwt === undefined ? {} : idsOf(ca.jwt.slots()),
    bundleSequence: bundle.current().sequenceNumber,
  })
  const document = (): ServerDocument => ({
    ...{ ...self, ...news(), endsByMs: shared?.horizon.endsByMs() ?? NOT_TOLD },
  })
  const allFollowers = () => followersOf(store, clock.now())
  const registry = shared && store.servers
  const own = { authorities: ca, rotations, ledger, handed, clock }
  const servers = trustDomainServers({
    ...{ ...own, registry, here: key, document, bundle, hasUpstream, allFollowers },
  })
  if (shared === undefined) return { servers, handed, ledger, loops: [] }
  shared.tellFrom(news)
  await shared.presence.beat()
  const onFailure = (err: unknown) => log.error({ err }, 'Other servers could not be answered')
  const failed = (err: unknown) =>
    log.error({ err }, 'Servers that are gone could not be forgotten')
  const followers = async () => (await allFollowers()).followers
  const loops: readonly Loop[] = [
    shared.stay,
    (stop) =>
      answerQuestions(
        {
          ...{ registry: store.servers, key, clock, onFailure },
          carryOut: (question) => carryOut(question, { ...own, followers }),
        },
        stop,
      ),
    async (stop) => {
      while (!stop.aborted) {
        await clock.sleep(FORGET_EVERY_MS, stop)
        if (stop.aborted) return
        const forgotten = await servers.forgetSpent().catch(failed)
        for (const server_key of forgotten ?? []) log.info({ server_key }, 'Forgot a server')
      }
    },
  ]
  return { servers, handed, ledger: coveredBy(shared.horizon, ledger), loops }
}

/** Tells the other servers of the bundle with this server's first authorities, and waits for them. */
export async function knownToOthers(
  bundle: Pick<LocalBundle, 'current'>,
  deps: {
    readonly store: Pick<Store, 'servers'>
    readonly joined: JoinedServers
    readonly clock: Clock
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { store, joined, clock, signal } = deps
  const { sequenceNumber } = bundle.current()
  await heardByOthers(sequenceNumber, { registry: store.servers, here: joined.key, clock, signal })
}

function idsOf({ prepared, active, old }: Slots<Authority>): SlotIds {
  return { prepared: prepared?.id, active: active?.id, old: old?.id }
}
