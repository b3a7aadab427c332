import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import type { CheckResponseInput } from '../../../proto/gen/envoy/service/auth/v3/CheckResponse.ts'
import { authorizeAny } from '../../../workload/tls/authorize.ts'
import { connectMtls } from '../../../workload/tls/connect-mtls.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'
import { startGrpcProvider, startHttpProvider } from './start-providers.ts'

const ca = await currentCa('example.org')
const identityAt = async (path: string) =>
  new FakeTlsIdentity(contextOf(await identityOf(ca, path), [ca.bundle]))
const db = await identityAt('/ns/shop/sa/db')
const web = await identityAt('/ns/shop/sa/web')

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => void server.close())
  return (server.address() as AddressInfo).port // cast: it listens on TCP
}

/** It tells what reached it; a name that is never among it was never forwarded. */
const reached: string[] = []
const workload = await listen(
  createServer(({ url, headers }, response) => {
    reached.push(String(url))
    response.end(JSON.stringify(headers))
  }),
)
const echo = await listen(
  createTcpServer((socket) => {
    socket.on('error', () => {}) // a caller that is refused goes in a hurry
    socket.pipe(socket)
  }),
)

const custom = (provider: string, rule = '{ to: [{ operation: { paths: ["/asked*"] } }] }') =>
  `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask-${provider}, namespace: shop }
spec: { action: CUSTOM, provider: { name: ${provider} }, rules: [${rule}] }
`

const httpBlock = (port: number, settings = '', name = 'web-authz') =>
  `extension_provider "${name}" { protocol = "http"  address = "127.0.0.1:${port}"  ${settings} }`
const grpcBlock = (port: number, settings = '', name = 'opa') =>
  `extension_provider "${name}" { protocol = "grpc"  address = "127.0.0.1:${port}"  ${settings} }`

const start = (providers: string, policies: string) =>
  startListeners(
    db,
    `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${workload}" protocol = "http" }
    inbound "tcp" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${echo}"  protocol = "tcp" }
    protocol_detection_timeout = "50ms"
    mesh { ${providers} }`,
    policies,
  )

async function get(port: number, path: string, headers: Record<string, string> = {}) {
  const asking = request({ host: '127.0.0.1', port, path, headers, agent: false })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  const text = (await response?.toArray())?.join('') ?? ''
  return { status: response?.statusCode, headers: response?.headers ?? {}, text }
}

const answering = (status: number, headers: Record<string, string> = {}, body = '') =>
  function answer(response: ServerResponse) {
    response.writeHead(status, headers).end(body)
  }

test('a provider is asked only where a rule matches, and its yes is not the last word', async () => {
  using provider = await startHttpProvider(answering(200))
  const denied = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny, namespace: shop }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["/asked/never"] } }] }] }
`
  await using proxy = await start(httpBlock(provider.port), `${custom('web-authz')}---\n${denied}`)
  expect(await get(proxy.port('db'), '/free')).toMatchObject({ status: 200 })
  expect(provider.asked).toEqual([])
  expect(await get(proxy.port('db'), '/asked')).toMatchObject({ status: 200 })
  expect(provider.asked).toHaveLength(1)
  expect(await get(proxy.port('db'), '/asked/never')).toMatchObject({
    status: 403,
    text: 'RBAC: access denied',
  })
})

test('the provider sees method, normalised path, host, token and what it is to see, and no more', async () => {
  using provider = await startHttpProvider(answering(200))
  await using proxy = await start(
    httpBlock(
      provider.port,
      `path_prefix = "/check/"
      include_request_headers_in_check = ["X-Team", "x-trace-*"]
      include_additional_headers_in_check { x-mesh = "ours" }`,
    ),
    custom('web-authz'),
  )
  const headers = { authorization: 'Bearer t', 'x-team': 'red', 'x-trace-1': 'a', cookie: 'c=1' }
  await get(proxy.port('db'), '/asked/./a?b=c', { ...headers, 'x-mesh': 'forged', host: 'shop' })
  expect(provider.asked).toMatchObject([{ method: 'GET', url: '/check/asked/a?b=c' }])
  const [{ headers: seen } = { headers: {} }] = provider.asked
  expect(seen).toMatchObject({
    ...{ host: 'shop', authorization: 'Bearer t', 'x-team': 'red', 'x-trace-1': 'a' },
    ...{ 'x-mesh': 'ours', 'content-length': '0' },
  })
  expect(seen).not.toHaveProperty('cookie')
})

test('a refusal reaches the caller with the status, body and headers of the provider', async () => {
  using provider = await startHttpProvider(
    answering(302, { location: '/login', 'x-why': 'no session' }, 'log in first'),
  )
  await using proxy = await start(httpBlock(provider.port), custom('web-authz'))
  const answer = await get(proxy.port('db'), '/asked/302')
  expect(answer).toMatchObject({ status: 302, text: 'log in first' })
  expect(answer.headers).toMatchObject({ location: '/login', 'x-why': 'no session' })
  expect(reached).not.toContain('/asked/302')
  await expect
    .poll(() => proxy.access)
    .toMatchObject([
      {
        ...{ status: 302, verdict: 'deny', why: 'provider-refused', reason: 'ext_authz_denied' },
        ...{ policy: 'shop/ask-web-authz', rule: 0 },
      },
    ])
})

test('of a refusal the caller gets only the headers that are listed, and what it needs', async () => {
  using provider = await startHttpProvider(
    answering(401, { 'www-authenticate': 'Basic', 'x-why': 'no', 'x-inside': '10.0.0.1' }),
  )
  await using proxy = await start(
    httpBlock(provider.port, 'headers_to_downstream_on_deny = ["x-why"]'),
    custom('web-authz'),
  )
  const { status, headers, text } = await get(proxy.port('db'), '/asked')
  expect({ status, text }).toEqual({ status: 401, text: '' })
  expect(headers).toMatchObject({ 'www-authenticate': 'Basic', 'x-why': 'no' })
  expect(headers).not.toHaveProperty('x-inside')
})

test('headers of a yes reach the workload in the place of forged ones, and the rules behind', async () => {
  using provider = await startHttpProvider(
    answering(200, { 'x-user': 'alice', 'x-secret': 's', 'content-type': 'text/odd' }),
  )
  const onlyAlice = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: alice, namespace: shop }
spec: { rules: [{ when: [{ key: "request.headers[x-user]", values: [alice] }] }] }
`
  await using proxy = await start(
    httpBlock(provider.port, 'headers_to_upstream_on_allow = ["x-user"]'),
    `${custom('web-authz')}---\n${onlyAlice}`,
  )
  const { status, text } = await get(proxy.port('db'), '/asked', { 'x-user': 'mallory' })
  expect(status).toBe(200)
  expect(JSON.parse(text)).toMatchObject({ 'x-user': 'alice' })
  expect(JSON.parse(text)).not.toHaveProperty('x-secret')
})

test.each([
  ['is not there', undefined],
  ['fails', answering(503, {}, 'database down')],
  ['answers with more than anybody reads', answering(403, {}, 'x'.repeat(100_000))],
] as const)('a provider that %s lets nobody in, unless it fails open', async (_, answer) => {
  using provider = await startHttpProvider(answer)
  const port = answer === undefined ? 1 : provider.port
  await using closed = await start(httpBlock(port, 'status_on_error = 503'), custom('web-authz'))
  expect(await get(closed.port('db'), '/asked/closed')).toMatchObject({ status: 503, text: '' })
  expect(reached).not.toContain('/asked/closed')
  await expect.poll(() => closed.access).toMatchObject([{ reason: 'ext_authz_error' }])
  await using open = await start(httpBlock(port, 'fail_open = true'), custom('web-authz'))
  expect(await get(open.port('db'), '/asked/open')).toMatchObject({ status: 200 })
  expect(JSON.stringify(open.lines)).toContain('An authorization provider gave no answer')
})

test('a provider that never answers is given up after its time, and answered for with 403', async () => {
  using provider = await startHttpProvider()
  await using proxy = await start(httpBlock(provider.port, 'timeout = "50ms"'), custom('web-authz'))
  expect(await get(proxy.port('db'), '/asked')).toMatchObject({ status: 403, text: '' })
  expect(provider.asked).toHaveLength(1)
})

test('a policy for a provider that is not configured denies what matches, and nothing else', async () => {
  await using proxy = await start('', custom('nobody'))
  expect(await get(proxy.port('db'), '/asked')).toMatchObject({ status: 403 })
  expect(await get(proxy.port('db'), '/free')).toMatchObject({ status: 200 })
})

test('many providers are asked one after the other, until one of them refuses', async () => {
  using first = await startHttpProvider(answering(200))
  using second = await startGrpcProvider(() => ({ status: { code: 7 } }))
  using third = await startHttpProvider(answering(200))
  await using proxy = await start(
    `${httpBlock(first.port, '', 'a')}  ${grpcBlock(second.port, '', 'b')}  ${httpBlock(third.port, '', 'c')}`,
    ['a', 'b', 'c'].map((name) => custom(name)).join('---\n'),
  )
  expect(await get(proxy.port('db'), '/asked')).toMatchObject({ status: 403, text: '' })
  expect([first.asked.length, second.asked.length, third.asked.length]).toEqual([1, 1, 0])
})

test('a gRPC provider is told who asks for what, and changes headers as it says', async () => {
  using provider = await startGrpcProvider(() => ({
    status: { code: 0 },
    ok_response: {
      headers: [
        { header: { key: 'x-user', value: 'alice' } },
        { header: { key: 'x-team', value: 'blue' }, append: { value: true } },
        { header: { key: ':path', value: '/stolen' } },
        { header: { key: 'Host', value: 'elsewhere' } },
      ],
      headers_to_remove: ['x-internal', 'content-length'],
    },
  }))
  await using proxy = await start(grpcBlock(provider.port), custom('opa'))
  const port = proxy.port('db')
  const to = { host: '127.0.0.1', port, servername: 'db.shop', alpn: ['istio-http/1.1'] }
  const socket = await connectMtls(web, authorizeAny(), to)
  const agent = new Agent()
  agent.createConnection = () => socket
  const headers = { 'x-user': 'mallory', 'x-team': 'red', 'x-internal': '1', host: 'shop' }
  const asking = request({ path: '/asked?q=1', headers, agent })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  const seen = JSON.parse((await response?.toArray())?.join('') ?? '')
  agent.destroy()
  expect(seen).toMatchObject({ 'x-user': 'alice', 'x-team': 'red, blue', host: 'shop' })
  expect(seen).not.toHaveProperty('x-internal')
  expect(reached).toContain('/asked?q=1')
  expect(provider.asked).toMatchObject([
    {
      attributes: {
        source: { principal: 'spiffe://example.org/ns/shop/sa/web' },
        destination: { principal: 'spiffe://example.org/ns/shop/sa/db' },
        request: {
          http: {
            ...{ method: 'GET', path: '/asked?q=1', host: 'shop', scheme: 'https' },
            ...{ protocol: 'HTTP/1.1', headers: { 'x-team': 'red', ':path': '/asked?q=1' } },
          },
        },
        tls_session: { sni: 'db.shop' },
      },
    },
  ])
})

test.each([
  ['its own status', { status: { code: 429 }, body: 'slow down' }, 429, 'slow down'],
  ['403 when it names none', undefined, 403, ''],
  ['403 when it names one that refuses nothing', { status: { code: 200 } }, 403, ''],
] as const)('a refusal of a gRPC provider has %s', async (_, denied, status, text) => {
  const refused: CheckResponseInput = { status: { code: 7 } }
  using provider = await startGrpcProvider(() =>
    denied === undefined ? refused : { ...refused, denied_response: denied },
  )
  await using proxy = await start(grpcBlock(provider.port), custom('opa'))
  expect(await get(proxy.port('db'), '/asked')).toMatchObject({ status, text })
})

test('an answer whose headers would break a head apart is none', async () => {
  using provider = await startGrpcProvider(() => ({
    status: { code: 0 },
    ok_response: { headers: [{ header: { key: 'x', value: 'a\r\nx-admin: yes' } }] },
  }))
  await using proxy = await start(grpcBlock(provider.port), custom('opa'))
  expect(await get(proxy.port('db'), '/asked/split')).toMatchObject({ status: 403 })
  expect(reached).not.toContain('/asked/split')
})

/** What comes back of `text` over a connection: nothing when it is closed. */
async function echoed(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const over = Promise.withResolvers<string>()
  socket.once('data', (bytes) => over.resolve(bytes.toString()))
  socket.once('close', () => over.resolve(''))
  socket.write(text)
  const got = await over.promise
  socket.destroy()
  return got
}

test('connections are put to gRPC providers, and let in or closed by what they say', async () => {
  let agrees = true
  using provider = await startGrpcProvider(() => ({ status: { code: agrees ? 0 : 7 } }))
  await using proxy = await start(
    grpcBlock(provider.port),
    custom('opa', `{ to: [{ operation: { ports: ["${echo}"] } }] }`),
  )
  expect(await echoed(proxy.port('tcp'), 'hello')).toBe('hello')
  expect(provider.asked).toMatchObject([{ attributes: { request: { http: null } } }])
  agrees = false
  expect(await echoed(proxy.port('tcp'), 'hello')).toBe('')
  expect(provider.asked).toHaveLength(2)
})

test('HTTP providers are not asked about connections', async () => {
  using provider = await startHttpProvider(answering(403))
  await using proxy = await start(
    httpBlock(provider.port),
    custom('web-authz', `{ to: [{ operation: { ports: ["${echo}"] } }] }`),
  )
  expect(await echoed(proxy.port('tcp'), 'hello')).toBe('hello')
  expect(provider.asked).toEqual([])
})
