/**
 * Processor time of a server for each SVID that it signs for an agent, over mutual TLS, and how many a second that makes: SPIRE's
 * server and ours, same configuration file, same requests, in turn. `cores` holds the server to one processor and then lets it have two.
 */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { generateKey } from '../../spiffe/key.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { attestByHand, byToken, type Node } from '../../test/interop/suites/node-by-hand.ts'
import { generateToken, type Kind, type Server, startServer } from '../../test/processes/cluster.ts'
import { type Figure, keepFigures, print } from './figures.ts'
import { createEntries } from './many-entries.ts'
import { type Cost, costFigures, measureInTurn, type Work } from './measure-load.ts'
import { batchNewX509Svid, newJwtSvid } from './method.ts'
import { openRawCalls, type RawCalls } from './raw-calls.ts'

const ENTRIES = 50
/** Sets of requests that differ. */
const SETS = 8
const PARTS = ['batch-50', 'batch-1', 'jwt', 'cores'] as const
type Part = (typeof PARTS)[number]
type Load = Exclude<Part, 'cores'>

export async function benchIssuing(
  kinds: readonly Kind[],
  wanted: readonly string[],
): Promise<void> {
  const parts = PARTS.filter((part) => wanted.length === 0 || wanted.includes(part))
  const costs = new Map<string, Map<Kind, Cost>>()
  await using started = new AsyncDisposableStack()
  const sides: Side[] = []
  for (const kind of kinds) sides.push(await openSide(kind, started))
  const keep = (title: string, measured: readonly Cost[]) => {
    const of = new Map<Kind, Cost>()
    for (const [at, cost] of measured.entries()) of.set(sides[at]?.kind ?? 'steeple', cost)
    costs.set(title, of)
  }
  for (const part of parts) {
    if (part === 'cores') await onProcessors(sides, keep)
    else keep(TITLES[part], await measureInTurn(sides.map((side) => targetOf(side, part))))
  }
  keepFigures('issuing', figuresOf(costs))
}

interface Side {
  readonly kind: Kind
  readonly server: Server
  readonly calls: RawCalls
  readonly works: Readonly<Record<Load, Work>>
}

async function openSide(kind: Kind, started: AsyncDisposableStack): Promise<Side> {
  const settings = 'default_x509_svid_ttl = "1h"'
  const server = started.use(await startServer(kind, { settings }))
  const node = await attestByHand(server, byToken(await generateToken(server)))
  const calls = started.use(await openRawCalls(server, node))
  return { kind, server, calls, works: await worksFor(server, node) }
}

const targetOf = ({ server, calls, works }: Side, part: Load) => ({
  ...{ server, calls },
  work: works[part],
})

const TITLES: Readonly<Record<Load, string>> = {
  'batch-50': 'BatchNewX509SVID, 50 CSRs a call',
  'batch-1': 'BatchNewX509SVID, 1 CSR a call',
  jwt: 'NewJWTSVID',
}

const ONE = 'the server on one processor'
const TWO = 'the server on two processors, one of which makes the load'

function figuresOf(costs: ReadonlyMap<string, ReadonlyMap<Kind, Cost>>): readonly Figure[] {
  return [...costs].flatMap(([title, of]) => {
    if (title !== ONE && title !== TWO) return costFigures(title, of)
    const perSecond = new Map([...of].map(([kind, cost]) => [kind, cost.perSecond]))
    const what = `batches of 50, ${title}: SVIDs a second`
    return [print({ what, unit: '', of: perSecond, isCost: false })]
  })
}

/** The load generator keeps to the last processor throughout. */
async function onProcessors(
  sides: readonly Side[],
  keep: (title: string, measured: readonly Cost[]) => void,
): Promise<void> {
  if (availableParallelism() < 2) {
    return console.log('issuing:cores is left out: this machine has one processor')
  }
  const targets = sides.map((side) => targetOf(side, 'batch-50'))
  const keepServersTo = (processors: string) => {
    for (const { server } of sides) keepTo(processors, server.process().pid)
  }
  try {
    keepTo('1', process.pid)
    keepServersTo('0')
    keep(ONE, await measureInTurn(targets))
    keepServersTo('0,1')
    keep(TWO, await measureInTurn(targets))
  } finally {
    keepTo('0,1', process.pid)
    keepServersTo('0,1')
  }
}

/** All threads that there are. */
function keepTo(processors: string, pid: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', processors, String(pid)], { stdio: 'ignore' })
}

async function worksFor(server: Server, node: Node): Promise<Record<Load, Work>> {
  const ids = await createEntries(server, {
    ...{ parentId: node.id, pathPrefix: '/workload/', count: ENTRIES },
  })
  const x509 = batchNewX509Svid()
  const jwt = newJwtSvid()
  const params: object[][] = []
  for (let set = 0; set < SETS; set++) params.push(await Promise.all(ids.map(paramOf)))
  return {
    'batch-50': {
      ...{ what: TITLES['batch-50'], method: x509, each: ENTRIES },
      bodies: params.map((some) => x509.message({ params: some })),
      ...{ concurrency: 4, calls: 40, check: (answer) => mustBeSigned(answer, ENTRIES) },
    },
    'batch-1': {
      ...{ what: TITLES['batch-1'], method: x509, each: 1 },
      bodies: params.flat().map((one) => x509.message({ params: [one] })),
      ...{ concurrency: 8, calls: 1_000, check: (answer) => mustBeSigned(answer, 1) },
    },
    jwt: {
      ...{ what: TITLES.jwt, method: jwt, each: 1 },
      bodies: ids.map((entry_id) => jwt.message({ entry_id, audience: ['db.example.org'] })),
      // A refusal fails the call.
      ...{ concurrency: 8, calls: 1_500, check: () => {} },
    },
  }
}

const paramOf = async (entry_id: string) => ({
  entry_id,
  csr: createCsr({ key: await generateKey('ec-p256') }),
})

function mustBeSigned(answer: unknown, count: number): void {
  // Cast: the answer to BatchNewX509SVID.
  const { results } = answer as { readonly results: readonly { status: { code: number } }[] }
  const signed = results.filter(({ status }) => status.code === 0).length
  if (signed !== count) throw new Error(`${signed} of ${count} were signed`)
}
