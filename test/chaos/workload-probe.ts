/**
 * A workload that asks its agent again and again for its SVID, over a new connection each time, and believes nothing: the
 * SVID must be there, be valid now, and be verified by its own bundle and by the one that workloads elsewhere have.
 */
import type { EndpointAddress } from '../../proto/endpoint-address.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { readStream } from '../../workload/workload-client.ts'
import { readX509Response, type X509Context } from '../../workload/x509-context.ts'

export interface Probe {
  /** Of the agent, for faults. */
  readonly name: string
  readonly socket: string
  /** What it must always be given. */
  readonly spiffeId: string
}

export interface ProbeDeps {
  readonly probes: readonly Probe[]
  readonly clock: Clock
  fault(what: string): void
}

export interface ProbeReport {
  readonly asked: number
  readonly verified: number
}

const PACE_MS = 400
/** Agents answer from memory: one that needs longer gives nothing. */
const ANSWER_MS = 10_000

/** Runs until the signal aborts. */
export async function probeWorkloads(deps: ProbeDeps, signal: AbortSignal): Promise<ProbeReport> {
  const { probes, clock, fault } = deps
  const report = { asked: 0, verified: 0 }
  const bundles = new Map<string, Bundle>()
  const follow = async (probe: Probe) => {
    let last = ''
    while (!signal.aborted) {
      report.asked += 1
      const at = clock.now().toISOString()
      try {
        const context = await fetchOnce(probe.socket, clock, signal)
        if (context === undefined) return
        report.verified += judge(context, probe, bundles, clock)
        last = ''
      } catch (error) {
        const why = reasonOf(error)
        // Of one trouble the first time is told; how many were served shows how long it lasted.
        if (!signal.aborted && why !== last) fault(`a workload of ${probe.name} at ${at}: ${why}`)
        last = why
      }
      await clock.sleep(PACE_MS, signal)
    }
  }
  await Promise.all(probes.map(follow))
  return report
}

/** @returns how many bundles have verified it @throws Error saying what is wrong */
function judge(
  { svids, bundles: own }: X509Context,
  { name, spiffeId }: Probe,
  bundles: Map<string, Bundle>,
  clock: Clock,
): number {
  const svid = svids.find(({ id }) => id === spiffeId)
  if (svid === undefined)
    throw new Error(`was given ${svids.length} SVIDs, and none is ${spiffeId}`)
  const [bundle] = own.values()
  if (bundle !== undefined) bundles.set(name, bundle)
  for (const each of bundles.values()) {
    verifyX509Svid({ chain: svid.chain, bundle: each, now: clock.now() })
  }
  return bundles.size
}

/** @returns undefined when the signal aborted */
async function fetchOnce(
  socket: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<X509Context | undefined> {
  const over = new AbortController()
  const late = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  void clock.sleep(ANSWER_MS, either).then(() => {
    if (!either.aborted) late.abort()
  })
  try {
    const address: EndpointAddress = `unix:${socket}`
    const both = AbortSignal.any([signal, late.signal])
    const stream = readStream(address, (client, meta) => client.FetchX509SVID({}, meta), both)
    for await (const response of stream) return readX509Response(response, (svids) => svids[0])
    if (signal.aborted) return undefined
    throw new Error(`no answer within ${ANSWER_MS / 1000} s`)
  } finally {
    over.abort()
  }
}
