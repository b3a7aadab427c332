/**
 * `npm run bench proxy`: pairs of proxies, ours beside Envoy and HAProxy. Each pair has one core, load and backend another.
 * All three run at once and are loaded in turn, so that whatever else the machine does falls on each of them.
 */
import { lacking } from '../../test/interop/interop.ts'
import type { Kind as IdentityKind } from '../../test/processes/cluster.ts'
import { isInstalled } from '../../test/processes/process.ts'
import { startBackend } from './backend.ts'
import { startEnvoy } from './envoy-pair.ts'
import { startHaproxy } from './haproxy-pair.ts'
import { idleKib } from './idle.ts'
import { load, type Measured } from './load.ts'
import { p99AtRate } from './load-at-rate.ts'
import { type Material, openMaterial } from './material.ts'
import { type Kind, type Mode, type Pair, pinLoad } from './pair.ts'
import { pathFor } from './rules.ts'
import { startSteeple } from './steeple-pair.ts'
import { type Row, writeTable } from './table.ts'

const SMALL_BYTES = 1_024
const BULK_BYTES = 1_048_576
const ROUNDS = 3
const IDLE_CONNECTIONS = 1_000

interface Run {
  readonly name: string
  readonly connections: number
  readonly isShort?: boolean
  /** Answer times at half of the rate that the slowest pair can do are measured too. */
  readonly atHalf?: boolean
}

/** Of one load; more where many handshakes come first. */
const SECONDS = 2
const MANY_SECONDS = 5
const MANY = 256
const HALF_SECONDS = 5

interface Scenario {
  readonly title: string
  readonly mode: Mode
  readonly rules: number
  readonly bytes: number
  readonly runs: readonly Run[]
  readonly idle?: boolean
}

/** Connections of which answer times are asked, too. */
const USUAL = 32
const at = (...all: readonly number[]): readonly Run[] =>
  all.map((connections) => ({ name: `${connections}`, connections, atHalf: connections === USUAL }))
const short: Run = { name: 'new connections, 32', connections: 32, isShort: true }

const SCENARIOS: readonly Scenario[] = [
  {
    ...{ title: 'TCP', mode: 'tcp', rules: 1, bytes: SMALL_BYTES, idle: true },
    runs: [...at(1, 32, 256), short],
  },
  { title: 'HBONE', mode: 'hbone', rules: 1, bytes: SMALL_BYTES, runs: at(1, 32, 256) },
  ...[0, 100, 1_000, 10_000].map((rules): Scenario => {
    const runs = rules === 100 ? at(1, 32, 256) : [{ name: '32', connections: 32 }]
    const title = `HTTP, ${rules.toLocaleString('en')} rules`
    return { ...{ title, mode: 'http', rules, runs }, bytes: SMALL_BYTES, idle: rules === 100 }
  }),
  { title: 'TCP, 1 MiB', mode: 'tcp', rules: 1, bytes: BULK_BYTES, runs: at(8) },
]

/** Envoy speaks HBONE only by listeners within listeners; its TCP stands in for it. HAProxy has no rules. */
function kindsOf({ mode, rules }: Scenario): readonly Kind[] {
  return mode === 'http' && rules > 0 ? ['steeple', 'envoy'] : ['steeple', 'envoy', 'haproxy']
}

function startPair(kind: Kind, material: Material, options: Scenario & { backendPort: number }) {
  switch (kind) {
    case 'steeple':
      return startSteeple(material, options)
    case 'envoy':
      return startEnvoy(material, { ...options, mode: plainMode(options.mode) })
    case 'haproxy':
      return startHaproxy(material, { ...options, mode: plainMode(options.mode) })
    default:
      return kind satisfies never
  }
}

const plainMode = (mode: Mode): Mode => (mode === 'hbone' ? 'tcp' : mode)

/** @param wanted parts of titles; all when empty */
export async function benchProxy(
  identities: IdentityKind,
  wanted: readonly string[],
): Promise<void> {
  const missing = ['wrk', 'h2load', 'haproxy', 'taskset'].filter((name) => !isInstalled(name))
  const how = missing.length > 0 ? `needs ${missing.join(', ')}` : lacking(['envoy'])
  if (how !== undefined) {
    console.log(`proxy: left out, ${how}`)
    return
  }
  pinLoad(process.pid)
  await using material = await openMaterial(identities)
  const rows: Row[] = []
  for (const scenario of SCENARIOS) {
    if (wanted.length > 0 && !wanted.some((one) => scenario.title.includes(one))) continue
    rows.push(...(await measure(material, scenario)))
  }
  writeTable(rows, wanted.length === 0)
}

async function measure(material: Material, scenario: Scenario): Promise<readonly Row[]> {
  await using stack = new AsyncDisposableStack()
  const backend = stack.use(await startBackend(material.dir, scenario.bytes))
  const pairs: Pair[] = []
  for (const kind of kindsOf(scenario)) {
    const options = { ...scenario, backendPort: backend.port }
    pairs.push(stack.use(await startPair(kind, material, options)))
  }
  const rows: Row[] = []
  for (const one of scenario.runs) {
    const best = await bestOf(pairs, scenario, one)
    rows.push({ kind: 'load', title: scenario.title, run: one.name, best })
    console.log(JSON.stringify({ ...rows.at(-1), best: Object.fromEntries(best) }))
    const { connections } = one
    const title = `${scenario.title}; ${one.name}`
    if (connections >= MANY) {
      const ms = new Map([...best].map(([kind, { p99Ms }]) => [kind, p99Ms]))
      rows.push({ kind: 'late', title: `${title}: p99 at its own most`, ms })
    }
    if (one.atHalf === true) {
      const perSecond = Math.min(...[...best.values()].map((found) => found.perSecond)) / 2
      const ms = await lateness(pairs, { connections, perSecond, path: pathFor(scenario.rules) })
      rows.push({ kind: 'late', title: `${title}: p99 at ${Math.round(perSecond)}/s`, ms })
      console.log(JSON.stringify({ ...rows.at(-1), ms: Object.fromEntries(ms) }))
    }
  }
  if (scenario.idle === true) {
    const kib = new Map<Kind, number>()
    for (const pair of pairs) kib.set(pair.kind, await idleKib(pair, IDLE_CONNECTIONS))
    rows.push({ kind: 'idle', title: scenario.title, kib })
    console.log(scenario.title, 'idle', Object.fromEntries(kib))
  }
  return rows
}

/** The cheapest round of each; one before them is not counted, for code that runs the first time is not yet compiled. */
async function bestOf(
  pairs: readonly Pair[],
  { rules }: Scenario,
  { connections, isShort = false }: Run,
): Promise<ReadonlyMap<Kind, Measured>> {
  const best = new Map<Kind, Measured>()
  const seconds = connections < MANY ? SECONDS : MANY_SECONDS
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const pair of pairs) {
      const found = await load(pair, { connections, seconds, path: pathFor(rules), isShort })
      const before = best.get(pair.kind)
      if (round === 0) continue
      if (before === undefined || found.microsEach < before.microsEach) best.set(pair.kind, found)
    }
  }
  return best
}

async function lateness(
  pairs: readonly Pair[],
  { connections, perSecond, path }: { connections: number; perSecond: number; path: string },
): Promise<ReadonlyMap<Kind, number>> {
  const ms = new Map<Kind, number>()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const pair of pairs) {
      const options = { connections, perSecond, path, seconds: HALF_SECONDS }
      const found = await p99AtRate(pair, options)
      ms.set(pair.kind, Math.min(found, ms.get(pair.kind) ?? found))
    }
  }
  return ms
}
