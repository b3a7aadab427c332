/**
 * The Broker API of our agent beside spire-agent's: the same bytes by the same brokers over the same transports at both, under one
 * server, and the same codes, texts and fields. Each difference that is accepted stands beside its request, with the reason.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { until } from '../processes/process.ts'
import {
  any,
  type Method,
  OBJECT_TYPE,
  type Outcome,
  objectReference,
  PID_TYPE,
  pidReference,
  type Request,
} from './broker/broker-call.ts'
import { type Pair, startPair, type Transport, type Who } from './broker/pair.ts'
import { interop } from './interop.ts'

const NEEDS = ['spire-server', 'spire-agent'] as const

/** What ours says instead, and why. Left out: the same code, and their text at the beginning of ours. */
interface Accepted {
  readonly ours: string
  readonly why: string
}

interface Case {
  readonly who?: Who
  readonly transport?: Transport
  readonly request: Request
  readonly accepted?: Accepted
}
const ALL: readonly Method[] = [
  'SubscribeToX509SVID',
  'SubscribeToX509Bundles',
  'FetchJWTSVID',
  'SubscribeToJWTBundles',
]
const STANDARD = 'Broker-API §4.8 gives the code'

const withAudience = (method: Method, body: object): Request['body'] =>
  method === 'FetchJWTSVID' ? { ...body, audience: ['x'] } : { ...body }

const each = (body: object, more: Omit<Case, 'request'> = {}): readonly Case[] =>
  ALL.map((method) => ({ ...more, request: { method, body: withAudience(method, body) } }))

const one = (
  body: Request['body'],
  more: Omit<Case, 'request'> = {},
  header?: readonly string[],
) => ({
  ...more,
  request: { method: 'SubscribeToX509Bundles' as const, body, ...(header && { header }) },
})

const UNREADABLE = {
  accepted: { ours: 'INTERNAL undefined', why: 'each gRPC library has its own text for it' },
}

const ABSENT_PID = 2 ** 22 + 1

const REFUSALS = (pid: number): readonly Case[] => [
  ...each({}),
  ...each({ reference: {} }),
  ...each(any('')),
  ...each(pidReference(ABSENT_PID), {
    accepted: { ours: 'NOT_FOUND spiffe.io WORKLOAD_NOT_FOUND', why: STANDARD },
  }),
  one(pidReference(0), {
    accepted: { ours: 'INVALID_ARGUMENT spiffe.io WORKLOAD_REFERENCE_INVALID', why: STANDARD },
  }),
  one(pidReference(-1), {
    accepted: { ours: 'INVALID_ARGUMENT spiffe.io WORKLOAD_REFERENCE_INVALID', why: STANDARD },
  }),
  one(any(PID_TYPE), {
    accepted: { ours: 'INVALID_ARGUMENT spiffe.io WORKLOAD_REFERENCE_INVALID', why: STANDARD },
  }),
  one(any(PID_TYPE, Buffer.from([0xff])), {
    accepted: { ours: 'INVALID_ARGUMENT spiffe.io WORKLOAD_REFERENCE_INVALID', why: STANDARD },
  }),
  one(any('type.googleapis.com/example.Other', Buffer.from([1])), {
    accepted: { ours: 'INVALID_ARGUMENT spiffe.io WORKLOAD_REFERENCE_INVALID', why: STANDARD },
  }),
  one(objectReference({ type: { plural: 'pods', group: 'core' }, uid: 'a' }), {
    accepted: { ours: 'INVALID_ARGUMENT spiffe.io WORKLOAD_REFERENCE_INVALID', why: STANDARD },
  }),
  one(Buffer.from([0x0a, 0xff]), UNREADABLE),
  one(Buffer.from('no message at all'), UNREADABLE),
  one(pidReference(pid), {}, []),
  one(pidReference(pid), {}, ['false']),
  one(pidReference(pid), {}, ['true', 'true']),
  one(pidReference(pid), {}, ['TRUE']),
  one({}, {}, []),
  { request: { method: 'FetchJWTSVID', body: pidReference(pid) } },
  { request: { method: 'FetchJWTSVID', body: {} } },
  { request: { method: 'FetchJWTSVID', body: { ...pidReference(pid), audience: [] } } },
  ...each(pidReference(pid), { who: 'objects' }),
  one(any('type.googleapis.com/example.Other'), { who: 'objects' }),
  one(any(OBJECT_TYPE.toLowerCase()), { who: 'objects' }),
  one({}, { who: 'objects' }),
  ...each(pidReference(pid), { who: 'pid', transport: 'tcp' }),
  one(any(OBJECT_TYPE), { who: 'pid', transport: 'tcp' }),
  one({}, { who: 'pid', transport: 'tcp' }),
  one(pidReference(pid), { who: 'pid', transport: 'tcp' }, []),
]

/** A workload that no entry matches. */
const UNENTITLED = (pid: number): readonly Case[] =>
  ALL.map((method) => ({
    request: { method, body: withAudience(method, pidReference(pid)) },
    accepted: {
      ours: 'PERMISSION_DENIED spiffe.io WORKLOAD_NOT_ENTITLED',
      why: 'Broker-API §5.2, §6.2 want this error; SPIRE sends no identities, and all bundles',
    },
  }))

/** Neither gets as far as a call. */
const UNCONNECTED = (pid: number): readonly Case[] =>
  (['stranger', 'nobody'] as const).flatMap((who) =>
    (['unix', 'tcp'] as const).map((transport) =>
      one(pidReference(pid), {
        ...{ who, transport },
        accepted: {
          ours: 'UNAVAILABLE undefined',
          why: 'Node closes the connection without the TLS alert that Go sends before it does',
        },
      }),
    ),
  )

const ANSWERS = (pid: number): readonly Case[] => [
  ...each(pidReference(pid), { who: 'full' }),
  ...each(pidReference(pid), { who: 'full', transport: 'tcp' }),
  ...each(pidReference(pid), { who: 'pid' }),
]

/** Keys, certificates and tokens are another agent's own; what is signed by one server is the same. */
const shapeOf = (value: unknown): unknown => {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      ['x509_svid', 'x509_svid_key', 'svid'].includes(name) ? field.length > 100 : shapeOf(field),
    ]),
  )
}

async function compare(pair: Pair, { who = 'full', transport = 'unix', request, accepted }: Case) {
  using ours = pair.ours.connect(who, transport)
  using theirs = pair.theirs.connect(who, transport)
  const [our, their] = await Promise.all([ours.ask(request), theirs.ask(request)])
  const body = Buffer.isBuffer(request.body)
    ? request.body.toString('hex')
    : JSON.stringify(request.body)
  const title = `${who} ${transport} ${request.method} ${body} ${request.header ?? ''}: ${show(our)} | ${show(their)}`
  return { our, their, title, accepted }
}

const show = ({ code, text, info }: Outcome) => `${code} ${info ?? ''} ${text}`

async function expectAlike(pair: Pair, one: Case): Promise<void> {
  const { our, their, title, accepted } = await compare(pair, one)
  if (accepted !== undefined) {
    expect(`${our.code} ${our.info}`, title).toBe(accepted.ours)
    if (our.code === 'UNAVAILABLE' || our.code === 'INTERNAL')
      expect(their.code, title).toBe(our.code)
    return
  }
  expect(our.code, title).toBe(their.code)
  expect(our.text.startsWith(their.text), title).toBe(true)
  if (one.request.method === 'FetchJWTSVID') return // told apart below
  expect(shapeOf(our.message), title).toEqual(shapeOf(their.message))
}

interop(
  'a broker is refused the same by either agent, whatever bytes it sends',
  NEEDS,
  async () => {
    await using pair = await startPair()
    const cases = [
      ...REFUSALS(process.pid),
      ...UNCONNECTED(process.pid),
      ...UNENTITLED(process.pid),
    ]
    expect(cases.length).toBeGreaterThan(50)
    for (const one of cases) await expectAlike(pair, one)
  },
)

interop(
  'a broker is given the same of a process by either agent, over either transport',
  NEEDS,
  async () => {
    await using pair = await startPair()
    const sleeper = spawn('sleep', ['600'])
    const pid = sleeper.pid ?? 0
    try {
      await pair.create('/first', `unix:uid:${process.geteuid?.()}`, '-hint', 'own')
      await pair.create('/second', `unix:uid:${process.geteuid?.()}`, '-hint', 'own')
      await pair.create('/down', `unix:uid:${process.geteuid?.()}`, '-downstream')
      const [first] = ANSWERS(pid)
      if (first === undefined) throw new Error('no request')
      await until('both agents to have an SVID', async () => {
        const { our, their } = await compare(pair, first)
        return [our, their].every(({ message }) => listIn(message).length === 1)
      })
      for (const one of ANSWERS(pid)) await expectAlike(pair, one)
      using ours = pair.ours.connect('full', 'unix')
      const { our, their } = await compare(pair, {
        request: { method: 'FetchJWTSVID', body: { ...pidReference(pid), audience: ['x'] } },
      })
      // Of administrators' and downstream servers' identities, SPIRE withholds the X.509-SVIDs alone; ours, tokens as well.
      expect(listIn(our.message)).toHaveLength(1)
      expect(listIn(their.message)).toHaveLength(2)
      // SPIRE reads no spiffe_id; Broker-API §6.2.1 wants that identity alone.
      const wish = { ...pidReference(pid), audience: ['x'], spiffe_id: 'spiffe://example.org/down' }
      const refused = await ours.ask({ method: 'FetchJWTSVID', body: wish })
      expect(refused.info).toBe('spiffe.io WORKLOAD_NOT_ENTITLED')
    } finally {
      sleeper.kill('SIGKILL')
      await once(sleeper, 'exit')
    }
    using gone = pair.ours.connect('pid', 'unix')
    const after = await gone.ask({ method: 'SubscribeToX509SVID', body: pidReference(pid) })
    expect(after.info).toBe('spiffe.io WORKLOAD_NOT_FOUND')
  },
)

const listIn = (message: Outcome['message']): readonly unknown[] =>
  Array.isArray(message?.svids) ? message.svids : []
