/**
 * The decision vectors once more, through sockets: a real client with the identity of the vector, a real proxy, a real backend.
 * What reaches the backend, what the client is answered, and which rule the access log names must be as in the vector.
 *
 * Validation has no connections, so its vectors are not here. Vectors of a waypoint are not, for the proxy has no such
 * place yet; those of ztunnel go through a tunnel (HBONE), where rules are treated as at a sidecar's TCP port, and those
 * that come out otherwise by that are listed.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import {
  type DecisionCase,
  type PathNormalizationCase,
  type PeerAuthenticationCase,
  READ_CASE,
  type ReadCase,
  readVectorFile,
} from '../../policy/vectors/vector-file.ts'
import { exchange } from '../interop/rbac/ask.ts'
import { openTunnel } from '../proxy/hbone/hbone-client.ts'
import {
  acceptingTokens,
  connectAs,
  DESTINATION_IP,
  type LiveProxy,
  type MeshOf,
  onLoopback,
  startLiveProxy,
  tokenOf,
} from './live-proxy.ts'

const file = readVectorFile(
  parse(readFileSync(join(import.meta.dirname, '..', 'vectors', 'authz-cases.yaml'), 'utf8')),
)

function known<T>(read: ReadCase<T>): T {
  if (read.kind === 'case') return read.vector
  throw new Error(`the vector ${read.id} cannot be read: ${read.why}`)
}

const cases = file.cases.map((value, at) => known<DecisionCase>(READ_CASE.cases(value, at)))
const of = (engine: DecisionCase['engine']) => cases.filter((one) => one.engine === engine)

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())
const proxies = new Map<string, Promise<LiveProxy>>()

/** One proxy for all vectors of the same mesh. */
function proxyOf(mesh: MeshOf): Promise<LiveProxy> {
  const key = JSON.stringify(mesh)
  const there =
    proxies.get(key) ??
    startLiveProxy(mesh).then((proxy) => {
      stack.use(proxy)
      return proxy
    })
  proxies.set(key, there)
  return there
}

const meshOf = (vector: DecisionCase): MeshOf => ({
  trustDomain: vector.trustDomain ?? 'cluster.local',
  aliases: vector.trustDomainAliases ?? [],
  pathNormalization: vector.pathNormalization ?? 'BASE',
})

/** Puts the vector's policies in force. */
async function start(vector: DecisionCase): Promise<LiveProxy> {
  const live = await proxyOf(meshOf(vector))
  const { jwt, extAuthz } = vector.request
  const objects: object[] = vector.policies.map((named) =>
    typeof named === 'string' ? (file.policies[named] ?? {}) : named,
  )
  if (jwt !== undefined) objects.push(acceptingTokens(jwt, vector.spaceDelimitedClaims))
  write(live, objects)
  live.setProvider(extAuthz)
  return live
}

function write({ proxy }: LiveProxy, objects: readonly object[]): void {
  proxy.writePolicies(onLoopback(objects.map((one) => stringify(one)).join('---\n')))
  proxy.access.length = 0
}

function requestText({ request }: DecisionCase): string {
  const { method = 'GET', path = '/', host = '', headers = {}, jwt, source } = request
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}`),
  )
  if (jwt !== undefined) lines.push(`authorization: Bearer ${tokenOf(jwt)}`)
  if (source.remoteIp !== undefined) lines.push(`x-forwarded-for: ${onLoopback(source.remoteIp)}`)
  return [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    ...lines,
    'content-length: 0',
    '\r\n',
  ].join('\r\n')
}

/** Whether bytes come back, before the connection ends. */
async function echoes(socket: Socket): Promise<boolean> {
  const over = Promise.withResolvers<boolean>()
  socket.on('error', () => over.resolve(false))
  socket.once('close', () => over.resolve(false))
  socket.once('end', () => over.resolve(false))
  socket.once('data', () => over.resolve(true))
  socket.write('hello')
  const answer = await over.promise
  socket.destroy()
  return answer
}

/** The vectors' words for why, from the access log. */
async function whyIn({ proxy }: LiveProxy): Promise<string> {
  await expect.poll(() => proxy.access.some(({ why }) => why !== undefined)).toBe(true)
  const { why, policy, rule } = proxy.access.find((line) => line.why !== undefined) ?? {}
  switch (why) {
    case 'allow-rule':
      return `allow:${policy}#${rule}`
    case 'deny-rule':
      return `deny:${policy}#${rule}`
    case 'provider-unasked':
    case 'provider-refused':
      return `custom:${policy}`
    default:
      return String(why)
  }
}

describe('requests at a sidecar', () => {
  test.each(of('http'))('$id $title', async (vector) => {
    const live = await start(vector)
    const port = live.proxy.port(`http-${vector.request.destination.port}`)
    const socket = await connectAs(vector.request, port, ['istio-http/1.1'])
    const answer = await exchange(socket, requestText(vector))
    socket.destroy()
    const { decision, why, httpStatus = 403, body } = vector.expect
    expect(answer.status).toBe(decision === 'allow' ? 200 : httpStatus)
    if (decision === 'deny' && body !== undefined) expect(answer.body).toBe(body)
    if (why !== undefined) expect(await whyIn(live)).toBe(why)
  })
})

describe('connections at a sidecar', () => {
  test.each(of('tcp'))('$id $title', async (vector) => {
    const live = await start(vector)
    const port = live.proxy.port(`tcp-${vector.request.destination.port}`)
    const passed = await echoes(await connectAs(vector.request, port, ['istio']))
    expect(passed).toBe(vector.expect.decision === 'allow')
    if (vector.expect.why !== undefined) expect(await whyIn(live)).toBe(vector.expect.why)
  })
})

/** What comes out otherwise in a tunnel than in the vector, and why; each is the decision of a sidecar's TCP port. */
const OTHER_IN_TUNNELS: Readonly<Record<string, string>> = {
  A212: 'aliases of our trust domain are expanded',
  A237: 'a DENY rule whose operation is about requests alone denies the connection: less gets in',
  A238: 'a DENY rule with a condition about requests denies the connection: less gets in',
  A245: 'trustDomains are understood',
}

/** Vectors of callers in plaintext, who have no tunnel, and of waypoints. */
const NOT_LIVE = ['A223', 'A225', 'A228', 'A235', 'A248', 'A250', 'A252']

test('every decision vector is run, or listed with the reason why not', () => {
  const isLive = ({ engine, request }: DecisionCase) =>
    engine === 'http' ||
    engine === 'tcp' ||
    (engine === 'ztunnel' && request.source.principal !== undefined)
  expect(cases.filter((one) => !isLive(one)).map(({ id }) => id)).toEqual(NOT_LIVE)
  const tunnels = of('ztunnel').map(({ id }) => id)
  expect(Object.keys(OTHER_IN_TUNNELS).filter((id) => !tunnels.includes(id))).toEqual([])
})

/** The one port of the workload behind tunnels is whichever was free. */
const withPort = (value: unknown, from: string, to: string): unknown => {
  if (value === from) return to
  if (Array.isArray(value)) return value.map((one) => withPort(one, from, to))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withPort(one, from, to)]),
  )
}

describe('connections through tunnels', () => {
  const named = of('ztunnel').filter(({ request }) => request.source.principal !== undefined)
  test.each(named)('$id $title', async (vector) => {
    const live = await start(vector)
    const from = String(vector.request.destination.port)
    const objects = vector.policies.map((one) =>
      typeof one === 'string' ? file.policies[one] : one,
    )
    write(
      live,
      objects.map((one) => withPort(one, from, String(live.echoPort)) as object), // cast: objects stay objects
    )
    const socket = await connectAs(vector.request, live.proxy.port('hbone'), ['h2'])
    const session = connectHttp2('http://hbone', { createConnection: () => socket })
    session.on('error', () => {})
    const { stream, status } = await openTunnel(session, `${DESTINATION_IP}:${live.echoPort}`)
    const isOther = vector.id in OTHER_IN_TUNNELS
    const allowed = (vector.expect.decision === 'allow') !== isOther
    expect(status).toBe(allowed ? 200 : 401)
    if (allowed) {
      stream.write('hello')
      expect(String(await once(stream, 'data'))).toBe('hello')
    }
    stream.close()
    session.destroy()
  })
})

describe('paths', () => {
  const paths = file.pathNormalizationCases.map((value, at) =>
    known<PathNormalizationCase>(READ_CASE.pathNormalizationCases(value, at)),
  )
  test.each(paths)('$option $in', async ({ option, in: target, out }) => {
    const live = await proxyOf({
      trustDomain: 'cluster.local',
      aliases: [],
      pathNormalization: option,
    })
    write(live, [])
    const request = { source: { ip: '127.0.0.1' }, destination: { ip: DESTINATION_IP, port: 8080 } }
    const socket = await connectAs(request, live.proxy.port('http-8080'), [])
    const answer = await exchange(socket, `GET ${target} HTTP/1.1\r\nhost: cart\r\n\r\n`)
    socket.destroy()
    expect(answer.status).toBe(out === null || out === undefined ? 400 : 200)
    if (typeof out === 'string') expect(answer.body).toBe(out)
  })
})

describe('modes of mutual TLS', () => {
  const modes = file.peerAuthenticationCases
    .map((value, at) => known<PeerAuthenticationCase>(READ_CASE.peerAuthenticationCases(value, at)))
    .flatMap(({ expect: { perPort = {} }, ...vector }) =>
      Object.entries(perPort).map(([port, mode]) => ({ ...vector, port, mode })),
    )
  test.each(modes)('$id $title: port $port', async ({ policies, port, mode, workload }) => {
    expect(workload).toEqual({ namespace: 'shop', labels: { app: 'cart' } })
    const live = await proxyOf({
      trustDomain: 'cluster.local',
      aliases: [],
      pathNormalization: 'BASE',
    })
    write(live, policies)
    const listener = live.proxy.port(`tcp-${port}`)
    const destination = { ip: DESTINATION_IP, port: Number(port) }
    const plaintext = { source: { ip: '127.0.0.1' }, destination }
    expect(await echoes(await connectAs(plaintext, listener, []))).toBe(mode.plaintext === 'allow')
    const mutual = {
      source: { ip: '127.0.0.1', principal: 'cluster.local/ns/web/sa/front' },
      destination,
    }
    const handshake = connectAs(mutual, listener, ['istio'])
    if (mode.mode === 'DISABLE') {
      // The bytes go on as they came, and the backend, which echoes them, ends no handshake.
      await expect(handshake).rejects.toThrow()
    } else expect(await echoes(await handshake)).toBe(mode.mutualTls === 'allow')
  })
})
