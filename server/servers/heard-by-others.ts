/**
 * Before a server signs for the first time, while others of its trust domain live: their agents should have its authority.
 * It waits until every living server gives out the bundle, and then as long as an agent takes to ask again. Bounded: a
 * server that cannot read the bundle must not keep the next one from starting.
 */
import type { Clock } from '../../spiffe/clock.ts'
import type { ServerRegistry } from '../store/server-registry.ts'
import { listServer } from './overview.ts'

export interface HeardDeps {
  readonly registry: Pick<ServerRegistry, 'list'>
  readonly here: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** For servers to read the bundle and beat. */
const SERVERS_MS = 10_000
/** SPIRE's agents ask every five seconds; ours are told at once. */
const AGENTS_MS = 6_000
const LOOK_MS = 500

/** @param bundleSequence of the bundle that has the authority */
export async function heardByOthers(bundleSequence: number, deps: HeardDeps): Promise<void> {
  const { registry, here, clock, signal } = deps
  const until = clock.now().getTime() + SERVERS_MS
  const behind = async () => {
    const servers = (await registry.list()).map((row) => listServer(row, here))
    const living = servers.filter(({ state }) => state === 'living')
    const late = living.filter(({ document }) => (document?.bundleSequence ?? 0) < bundleSequence)
    return { living: living.length, late: late.length }
  }
  let now = await behind()
  if (now.living === 0) return
  while (now.late > 0 && clock.now().getTime() < until && !signal.aborted) {
    await clock.sleep(LOOK_MS, signal)
    now = await behind()
  }
  await clock.sleep(AGENTS_MS, signal)
}
