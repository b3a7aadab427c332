/**
 * What must happen once, asked for at two servers at the same moment: a join token is good for one node, and of two
 * similar entries one is created. Servers may die meanwhile, so that neither may succeed; both never do.
 */

import { joinTokenAttestor } from '../../agent/node/join-token.ts'
import type { BatchCreateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { Entry } from '../../proto/gen/spire/api/types/Entry.ts'
import type { JoinToken } from '../../proto/gen/spire/api/types/JoinToken.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'
import { pick } from '../fakes/seeded.ts'
import { ask } from '../kill/clients.ts'
import { startSimulatedAgent } from '../processes/simulated-agent.ts'
import { SERVER_PORT } from './network.ts'
import { type ChaosServer, TRUST_DOMAIN } from './servers.ts'

export interface OnceDeps {
  readonly servers: readonly ChaosServer[]
  readonly bundle: Bundle
  readonly random: Random
  readonly clock: Clock
  fault(what: string): void
}

export interface OnceReport {
  /** Tokens that two servers were given at once, and how many of them attested a node. */
  readonly tokens: number
  readonly spent: number
  /** Pairs of similar entries that were asked for at once, and how many were created. */
  readonly pairs: number
  readonly created: number
}

const PACE_MS = 1_500
const ANSWER_MS = 8_000
const TOKEN_TTL_SECONDS = 600
/** Begins the paths of similar entries. */
export const TWIN = '/twin/'

/** Runs until the signal aborts. */
export async function doTwice(deps: OnceDeps, signal: AbortSignal): Promise<OnceReport> {
  const { servers, random, clock } = deps
  const report = { tokens: 0, spent: 0, pairs: 0, created: 0 }
  while (!signal.aborted) {
    const one = pick(random, servers)
    const two = pick(
      random,
      servers.filter((server) => server !== one),
    )
    if (one === undefined || two === undefined) break
    const created = await createTwins(report.pairs, [one, two], deps)
    report.pairs += 1
    report.created += created
    const spent = await spendTwice([one, two], deps, signal)
    report.tokens += spent === undefined ? 0 : 1
    report.spent += spent ?? 0
    await clock.sleep(PACE_MS, signal)
  }
  return report
}

type Two = readonly [ChaosServer, ChaosServer]

/** @returns how many were created */
async function createTwins(pair: number, two: Two, { clock, fault }: OnceDeps): Promise<number> {
  const entry = {
    parent_id: { trust_domain: TRUST_DOMAIN, path: '/nobody' },
    spiffe_id: { trust_domain: TRUST_DOMAIN, path: `${TWIN}${pair}` },
    selectors: [{ type: 'test', value: `twin-${pair}` }],
  }
  const limit = { deadline: clock.now().getTime() + ANSWER_MS }
  const outcomes = await Promise.all(
    two.map(({ admin }) =>
      ask<BatchCreateEntryResponse>((done) =>
        admin.entry.BatchCreateEntry({ entries: [entry] }, limit, done),
      ),
    ),
  )
  const created = outcomes.flatMap((outcome) => {
    const result = outcome.kind === 'acknowledged' ? outcome.reply.results[0] : undefined
    return result?.status?.code === 0 ? [result.entry?.id] : []
  })
  if (created.length > 1) fault(`two similar entries were created: ${created.join(' and ')}`)
  return created.length
}

/** @returns how many nodes it attested; undefined when there was no token */
async function spendTwice(
  two: Two,
  deps: OnceDeps,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { clock, fault } = deps
  const limit = { deadline: clock.now().getTime() + ANSWER_MS }
  const made = await ask<JoinToken>((done) =>
    two[0].admin.agent.CreateJoinToken({ ttl: TOKEN_TTL_SECONDS }, limit, done),
  )
  if (made.kind === 'refused') fault(`a join token was refused: ${made.why}`)
  if (made.kind !== 'acknowledged') return undefined
  const token = made.reply.value
  const first = await Promise.all(two.map((server) => isTaken(token, server, deps, signal)))
  // By then its first use is long over, whatever became of it.
  const again = first.includes(true) ? await isTaken(token, two[1], deps, signal) : false
  const times = [...first, again].filter((taken) => taken).length
  if (times > 1) fault(`a join token was taken ${times} times`)
  return times
}

async function isTaken(
  token: string,
  { host }: ChaosServer,
  { bundle, clock }: OnceDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const limited = new AbortController()
  const late = clock.sleep(ANSWER_MS, AbortSignal.any([signal, limited.signal]))
  void late.then(() => limited.abort())
  try {
    await using _agent = await startSimulatedAgent(
      {
        servers: [{ host, port: SERVER_PORT }],
        attestor: joinTokenAttestor(token),
        ...{ bundle, feed: 'push', syncIntervalMs: 5_000, keepsSvids: false },
      },
      AbortSignal.any([signal, limited.signal]),
    )
    return true
  } catch (error) {
    if (error instanceof IdentityError || limited.signal.aborted) return false
    throw error
  } finally {
    limited.abort()
  }
}

/** Entries that say the same as another one. */
export function similarOnes(entries: readonly Entry[]): readonly string[] {
  const seen = new Set<string>()
  return entries.flatMap(({ id, spiffe_id: of, parent_id: parent, selectors }) => {
    const values = selectors.map(({ type, value }) => `${type}:${value}`).sort()
    const what = [of?.path, parent?.path, ...values].join(' ')
    if (seen.has(what)) return [`entry ${id} says the same as another one: ${what}`]
    seen.add(what)
    return []
  })
}
