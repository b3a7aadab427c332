/**
 * A server, two agents and two proxies at moderate load for a long time. Says what was done and what the processes held
 * and said on the way; whoever calls decides whether that is good.
 */
import { openStreams } from '../../../bench/issuing/workload-streams.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { type Course, watchResources } from '../resources.ts'
import { troubleIn } from '../trouble.ts'
import { DENIED, openPlane } from './open-plane.ts'
import { paced, type WorkDone } from './paced.ts'
import { workOf } from './work-of.ts'

export interface HourOptions {
  readonly seconds: number
  /** From one look at the processes to the next, in seconds. */
  readonly sampleSeconds: number
}

export interface HourReport {
  readonly work: readonly WorkDone[]
  readonly courses: readonly Course[]
  /** Lines of warnings and worse, by process. */
  readonly trouble: Readonly<Record<string, readonly string[]>>
  /** Lines in all, by process. */
  readonly logLines: Readonly<Record<string, number>>
}

/** Streams of workloads that stay open from the first moment to the last. */
const STREAMS = 100
const SVID_TTL_SECONDS = 60
/** Authorities are replaced at least this often in a run, but live no less than `LEAST_CA_TTL_SECONDS`. */
const ROTATIONS = 6
const LEAST_CA_TTL_SECONDS = 120
const EXPECTED = [
  // Of the server when it starts, as lives are so short.
  /may be cut short when the CA rotates/,
  // Of the inbound proxy, for each request that it is there to refuse.
  new RegExp(`"path":"${DENIED}".*"msg":"Request denied"`),
  // Of an agent that asked for the SVID of an entry which was deleted at that moment.
  /X509-SVIDs could not be fetched yet.*code=NOT_AUTHORIZED.*entry not found or not authorized/,
]

export async function runHour({ seconds, sampleSeconds }: HourOptions): Promise<HourReport> {
  const caTtlSeconds = Math.max(LEAST_CA_TTL_SECONDS, Math.floor(seconds / ROTATIONS))
  await using plane = await openPlane({ caTtlSeconds, svidTtlSeconds: SVID_TTL_SECONDS })
  const { server, agents, inbound, outbound } = plane
  const processes = {
    server: server.process(),
    'agent of the caller': agents[0].process(),
    'agent of the called': agents[1].process(),
    'inbound proxy': inbound.process(),
    'outbound proxy': outbound.process(),
  }
  using streams = openStreams(agents[0].socket, STREAMS)
  await streams.received(1)
  const work = await workOf(plane)
  const over = new AbortController()
  const working = Promise.all(work.map((one) => paced(one, over.signal)))
  const of = <T>(what: (name: keyof typeof processes) => T) =>
    Object.fromEntries(
      Object.keys(processes).map((name) => [name, what(name as keyof typeof processes)]), // cast: its own keys
    )
  const watching = watchResources(
    of((name) => processes[name].pid),
    sampleSeconds * 1_000,
    over.signal,
  )
  try {
    await Promise.race([systemClock.sleep(seconds * 1_000), watching])
  } finally {
    over.abort()
  }
  const [done, courses] = await Promise.all([working, watching])
  return {
    work: done,
    courses,
    trouble: of((name) => troubleIn(processes[name].output(), ...EXPECTED)),
    logLines: of((name) => processes[name].output().split('\n').length),
  }
}
