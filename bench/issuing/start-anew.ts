/** A server that is ended and started again: what it costs until its one agent is given its entries over mutual TLS. */
import { systemClock } from '../../spiffe/clock.ts'
import type { Node } from '../../test/interop/suites/node-by-hand.ts'
import type { Server } from '../../test/processes/cluster.ts'
import { getAuthorizedEntries } from './method.ts'
import { cpuMicros } from './process-cost.ts'
import { openRawCalls } from './raw-calls.ts'

/** Short, for it is part of what is measured. */
const LOOK_MS = 20
const MAX_LOOKS = 25_000

export interface Start {
  readonly startSeconds: number
  /** Of its processor time. */
  readonly startCpuSeconds: number
}

/** @param own how many entries the agent has */
export async function startAnew(server: Server, node: Node, own: number): Promise<Start> {
  server.process().kill('SIGTERM')
  await server.process().ended
  const since = performance.now()
  const healthy = server.restart()
  await untilServed(server, node, own)
  const startSeconds = (performance.now() - since) / 1_000
  const startCpuSeconds = cpuMicros(server.process().pid) / 1e6
  await healthy
  return { startSeconds, startCpuSeconds }
}

async function untilServed(server: Server, node: Node, own: number): Promise<void> {
  const method = getAuthorizedEntries()
  for (let look = 0; look < MAX_LOOKS; look++) {
    try {
      await using calls = await openRawCalls(server, node)
      const answer = method.answer(await calls.call(method.path, method.message({})))
      // Cast: the answer to GetAuthorizedEntries.
      const { entries } = answer as { readonly entries: readonly unknown[] }
      if (entries.length === own) return
    } catch {} // not yet
    await systemClock.sleep(LOOK_MS)
  }
  throw new Error('the agent never got its entries')
}
