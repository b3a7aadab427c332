/**
 * One server and one agent that are killed again and again while five streams write. After each kill both are started by
 * the same command as before, and what the server has is compared with the record of what it acknowledged; then the agent
 * must serve exactly what is registered, and nothing that was deleted once it has heard of anything newer.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import { below, seeded } from '../fakes/seeded.ts'
import { type Agent, program, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { type Running, start } from '../processes/process.ts'
import { authorityStream } from './authorities.ts'
import { bundleStream } from './bundles.ts'
import { type Admin, connectAdmin, deadline } from './clients.ts'
import { type EntryStream, entryStream, listEntries } from './entries.ts'
import { nodeStream } from './nodes.ts'
import type { Up, WriteStream } from './stream.ts'
import { followWorkload, type Workload } from './workload.ts'

export interface LaneReport {
  /** How often each was killed, and how many of the kills came while it was starting. */
  readonly kills: { server: number; agent: number; both: number; starting: number }
  acknowledged: number
  unanswered: number
  /** From the start of the processes until the workload was served everything, milliseconds. */
  readonly returnedMs: number[]
  readonly faults: string[]
}

export interface LaneOptions {
  readonly seed: number
  /** How many kills are still to come, for all lanes together. */
  readonly left: { moments: number }
}

/** Of the up time before a kill. */
const MAX_UP_MS = 300
/** A start takes about twice as long. */
const MAX_STARTING_MS = 600
const STARTING_SHARE = 0.15
/** What a stream waits between two writes: many, and none that has the machine to itself. */
const PACE_MS = { entries: 4, bundles: 15, nodes: 40, authorities: 60 }
const MARKER = 'marker'

interface Stream {
  readonly stream: WriteStream
  readonly paceMs: number
}

interface Lane {
  readonly server: Server
  readonly agent: Agent
  readonly workload: Workload
  readonly streams: readonly Stream[]
  readonly served: EntryStream
  readonly marker: EntryStream
  readonly random: Random
  readonly report: LaneReport
  launchServer(): Running
  /** The server's process of this moment. */
  running: Running
}

export async function runLane({ seed, left }: LaneOptions): Promise<LaneReport> {
  const report: LaneReport = {
    kills: { server: 0, agent: 0, both: 0, starting: 0 },
    ...{ acknowledged: 0, unanswered: 0, returnedMs: [], faults: [] },
  }
  // Renewed within a long run, and long enough for a machine that takes its time to start anything.
  await using server = await startServer('steeple', {
    settings: 'agent_ttl = "20m"  default_x509_svid_ttl = "20m"',
  })
  await using agent = await startAgent('steeple', server)
  const over = new AbortController()
  const parent = agent.id.slice('spiffe://example.org'.length)
  const served = entryStream('served', parent, true)
  const marker = entryStream(MARKER, parent, true)
  const config = join(server.dir, 'server.conf')
  // What every request says of itself is of no interest here, and costs as much as the request.
  for (const path of [config, join(agent.dir, 'agent.conf')]) {
    writeFileSync(path, readFileSync(path, 'utf8').replace('"DEBUG"', '"WARN"'))
  }
  const knowsX509 = (authority: string) => trustOf(agent).has(authority)
  const knowsJwt = (authority: string) => knowledgeOf(agent).includes(authority)
  const [command, words] = program('steeple', 'server')
  const lane: Lane = {
    ...{ server, agent, served, marker, report, random: seeded(seed) },
    workload: followWorkload(agent.socket, over.signal),
    streams: [
      { stream: served, paceMs: PACE_MS.entries },
      { stream: entryStream('other', '/nobody', false), paceMs: PACE_MS.entries },
      { stream: await bundleStream(), paceMs: PACE_MS.bundles },
      { stream: nodeStream(server.port, parent.split('/').at(-1) ?? ''), paceMs: PACE_MS.nodes },
      { stream: authorityStream('x509', knowsX509), paceMs: PACE_MS.authorities },
      { stream: authorityStream('jwt', knowsJwt), paceMs: PACE_MS.authorities },
    ],
    launchServer: () => start(command, [...words, 'run', '-config', config]),
    running: server.process(),
  }
  try {
    await check(lane)
    while (left.moments > 0 && report.faults.length === 0) {
      left.moments -= 1
      await oneMoment(lane, left)
    }
  } catch (error) {
    const said = `the server said: ${lane.running.output()}; the agent said: ${lane.agent.process().output()}`
    report.faults.push(`${reasonOf(error)}; ${said}`)
  } finally {
    over.abort()
    await lane.running[Symbol.asyncDispose]()
  }
  for (const { stream } of lane.streams) {
    const { acknowledged, unanswered } = stream.counts()
    report.acknowledged += acknowledged
    report.unanswered += unanswered
  }
  report.faults.push(...leftovers(server))
  return report
}

/** X.509 authorities (DER as base64) that the agent would believe a server by if it were killed now. */
function trustOf({ dir }: Agent): ReadonlySet<string> {
  const path = join(dir, 'data', 'agent-data.json')
  if (!existsSync(path)) return new Set()
  // Cast: written by our own agent, as base64 of PEM.
  const { bundle } = JSON.parse(readFileSync(path, 'utf8')) as { bundle: readonly string[] | null }
  const pems = (bundle ?? []).map((text) => Buffer.from(text, 'base64').toString())
  const ders = pems.flatMap((pem) => fromPem('CERTIFICATE', pem))
  return new Set(ders.map((der) => Buffer.from(der).toString('base64')))
}

/** What the agent would serve if it were killed now. */
function knowledgeOf({ dir }: Agent): string {
  const path = join(dir, 'data', 'cache', 'entries.json')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** One kill or more, and the return. */
async function oneMoment(lane: Lane, left: LaneOptions['left']): Promise<void> {
  const { server, agent, random, report, launchServer } = lane
  using admin = connectAdmin(server.socket)
  const kill = async (): Promise<Down> => {
    const victim = random() < 0.65 ? 'server' : random() < 0.7 ? 'agent' : 'both'
    report.kills[victim] += 1
    const down = { server: victim !== 'agent', agent: victim !== 'server' }
    const victims = [
      ...(down.server ? [lane.running] : []),
      ...(down.agent ? [agent.process()] : []),
    ]
    for (const one of victims) one.kill('SIGKILL')
    await Promise.all(victims.map(mustBeKilled))
    return down
  }
  let down = await writeUntilKilled(lane, admin, kill)
  for (;;) {
    const from = systemClock.now().getTime()
    if (down.server) lane.running = launchServer()
    if (down.agent) await agent.relaunch()
    if (left.moments > 0 && random() < STARTING_SHARE) {
      left.moments -= 1
      report.kills.starting += 1
      await systemClock.sleep(below(random, MAX_STARTING_MS))
      down = await kill()
      continue
    }
    await check(lane)
    report.returnedMs.push(systemClock.now().getTime() - from)
    return
  }
}

interface Down {
  readonly server: boolean
  readonly agent: boolean
}

/** A process that ended before it was killed has broken by itself. */
async function mustBeKilled(victim: Running): Promise<void> {
  const how = await victim.ended
  if (how !== 'SIGKILL') throw new Error(`it ended by itself with ${how}: ${victim.output()}`)
}

/** All streams write until the moment has come, and what they then wait for has ended one way or the other. */
async function writeUntilKilled(
  { streams, random, report }: Lane,
  admin: Admin,
  kill: () => Promise<Down>,
): Promise<Down> {
  const stop = new AbortController()
  const up: Up = { admin, random, fault: (what) => report.faults.push(what) }
  const write = async ({ stream, paceMs }: Stream) => {
    while (!stop.signal.aborted && (await stream.step(up))) {
      await systemClock.sleep(paceMs, stop.signal)
    }
  }
  const writing = Promise.all(streams.map(write))
  await systemClock.sleep(below(random, MAX_UP_MS))
  const down = await kill()
  stop.abort()
  await writing
  return down
}

/** @throws Error when a process has ended, for then somebody would have to do something by hand */
async function check(lane: Lane): Promise<void> {
  const { server, agent, random, report } = lane
  using admin = connectAdmin(server.socket)
  const ended = (what: string, process: Running) =>
    process.ended.then((how) => {
      throw new Error(`${what} does not start again, it ends with ${how}: ${process.output()}`)
    })
  const judged = async () => {
    await new Promise<void>((resolve, reject) => {
      admin.entry.waitForReady(deadline().deadline, (error) => (error ? reject(error) : resolve()))
    })
    const up: Up = { admin, random, fault: (what) => report.faults.push(what) }
    for (const { stream } of lane.streams) report.faults.push(...(await stream.check(up)))
    await checkServed(lane, up)
  }
  await Promise.race([
    judged(),
    ended('the server', lane.running),
    ended('the agent', agent.process()),
  ])
}

/** The agent is told of one more write; whatever it serves with that may hold nothing that was deleted before. */
async function checkServed({ workload, marker, served, report }: Lane, up: Up): Promise<void> {
  const newest = async (): Promise<string | undefined> => {
    if (!(await marker.step(up))) throw new Error('the server went away while nobody killed it')
    entries = await listEntries(up.admin)
    return pathsOf(MARKER).find((path) => path.endsWith(`/v${marker.versions()}`))
  }
  let entries: Awaited<ReturnType<typeof listEntries>> = []
  const pathsOf = (prefix: string) =>
    entries.flatMap(({ id, spiffe_id: of }) => (id.startsWith(`${prefix}-`) && of ? [of.path] : []))
  // A marker that was deleted marks nothing.
  let mark = await newest()
  while (mark === undefined) mark = await newest()
  const [newMark, wanted] = [mark, new Set([...pathsOf(MARKER), ...pathsOf('served')])]
  const present = new Set(served.record.present().map((id) => `/${id}/`))
  const seen = await workload.when('the newest entry at the workload', (now) => now.has(newMark))
  for (const path of seen) {
    const id = path.slice(0, path.lastIndexOf('/') + 1)
    if (id.startsWith('/served-') && !present.has(id)) {
      report.faults.push(`${path} is served, and its entry was deleted before`)
    }
  }
  if (report.faults.length > 0) return // what must not be served may be served for good
  await workload.when(
    `exactly ${[...wanted].join(' ')}`,
    (now) => now.size === wanted.size && [...wanted].every((path) => now.has(path)),
  )
}

/** What kills leave behind must not pile up. */
function leftovers({ dir }: Server): readonly string[] {
  const MOST_FILES = 12
  const files = readdirSync(dir)
  return files.length > MOST_FILES ? [`the data directory fills: ${files.join(' ')}`] : []
}
