import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { request as requestTls } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { CompactSign } from 'jose'
import { expect, test } from 'vitest'
import { generateKey } from '../../../spiffe/key.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'

const ca = await currentCa('example.org')
const web = await identityOf(ca, '/ns/shop/sa/web')
const db = await identityOf(ca, '/ns/shop/sa/db')
const sourceOf = (identity: typeof web) => new FakeTlsIdentity(contextOf(identity, [ca.bundle]))

async function startWorkload(answer: (asked: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    port,
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A proxy of `db` in front of a workload that tells what it was asked, and one of `web` before it. */
async function startPair(policies: string, settings = '') {
  const workload = await startWorkload(({ url, headers }, response) => {
    response.end(JSON.stringify({ url, headers }))
  })
  const inbound = `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${workload.port}" }`
  const server = await startListeners(sourceOf(db), `${inbound}\n${settings}`, policies)
  const client = await startListeners(
    sourceOf(web),
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${server.port('db')}"
      authorize = ["spiffe://example.org/ns/shop/sa/db"]
    }`,
  )
  return {
    ...{ server, client },
    get: (path: string, headers = {}) => get(client.port('db'), path, headers),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      workload[Symbol.dispose]()
    },
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

async function get(port: number, path: string, headers: Record<string, string>): Promise<Answer> {
  const asking = request({ host: '127.0.0.1', port, path, headers, agent: false })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  if (response === undefined) throw new Error('no response')
  const text = (await response.toArray()).join('')
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

const policy = (kind: string, spec: string) => `apiVersion: security.istio.io/v1
kind: ${kind}
metadata: { name: ${kind.toLowerCase()}, namespace: shop }
spec: ${spec}
---
`
const allow = (rule: string) => policy('AuthorizationPolicy', `{ action: ALLOW, rules: [${rule}] }`)
const OF_WEB = 'from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]'

test('requests are judged one by one on the same connection, by identity and path', async () => {
  await using pair = await startPair(
    allow(`{ ${OF_WEB}, to: [{ operation: { methods: ["GET"], paths: ["/public/*"] } }] }`),
  )
  expect(await pair.get('/public/a?b=c')).toMatchObject({ status: 200 })
  expect(await pair.get('/private')).toMatchObject({ status: 403, text: 'RBAC: access denied' })
  expect(await pair.get('/public/../private')).toMatchObject({ status: 403 })
  await expect
    .poll(() => pair.server.access)
    .toMatchObject([
      {
        ...{ status: 200, path: '/public/a', policy: 'shop/authorizationpolicy', rule: 0 },
        source_identity: 'spiffe://example.org/ns/shop/sa/web',
      },
      { status: 403, why: 'no-allow-matched' },
      { status: 403 },
    ])
  expect(pair.server.context.metrics.text()).toMatch(
    /istio_requests_total\{reporter="destination",.*response_code="403".*\} 2/,
  )
})

test('the workload sees the path that rules saw, and who called; what the caller claims is gone', async () => {
  await using pair = await startPair('')
  const { text } = await pair.get('/a/./b/../c', { 'x-forwarded-client-cert': 'URI=spiffe://evil' })
  const { url, headers } = JSON.parse(text)
  expect(url).toBe('/a/c')
  expect(headers['x-forwarded-client-cert']).toMatch(
    /^By=spiffe:\/\/example\.org\/ns\/shop\/sa\/db;Hash=[0-9a-f]{64};Subject="[^"]*";URI=spiffe:\/\/example\.org\/ns\/shop\/sa\/web$/,
  )
})

test('a request is given an ID and the scheme once, by the first proxy, and both log the same ID', async () => {
  await using pair = await startPair('')
  const { headers } = JSON.parse((await pair.get('/')).text)
  expect(headers['x-forwarded-proto']).toBe('http') // by which the workload asked its own proxy
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  const line = [{ request_id: headers['x-request-id'] }]
  await expect.poll(() => pair.client.access).toMatchObject(line)
  await expect.poll(() => pair.server.access).toMatchObject(line)
  const kept = await pair.get('/', { 'x-request-id': 'mine', 'x-forwarded-proto': 'https' })
  expect(JSON.parse(kept.text).headers).toMatchObject({
    ...{ 'x-request-id': 'mine', 'x-forwarded-proto': 'https' },
  })
})

test('what a peer with a certificate sends as its own caller’s stands before what we say of it', async () => {
  const workload = await startWorkload(({ headers }, response) => {
    response.end(JSON.stringify({ headers }))
  })
  const at = `listen = "127.0.0.1:0"  upstream = "127.0.0.1:${workload.port}"`
  await using server = await startListeners(sourceOf(db), `inbound "db" { ${at}  mtls = "strict" }`)
  // Not a proxy of ours, which would take the header out: a program that speaks mutual TLS itself.
  const { chain, key } = web
  const asking = requestTls({
    ...{ host: '127.0.0.1', port: server.port('db'), agent: false, rejectUnauthorized: false },
    cert: toPemChain(chain),
    key: toPem('PRIVATE KEY', key),
    headers: { 'x-forwarded-client-cert': 'By=spiffe://b;URI=spiffe://a' },
  })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  const { headers } = JSON.parse((await response?.toArray())?.join('') ?? '')
  expect(headers['x-forwarded-client-cert']).toMatch(
    /^By=spiffe:\/\/b;URI=spiffe:\/\/a,By=spiffe:.*;URI=spiffe:\/\/example\.org\/ns\/shop\/sa\/web$/,
  )
  expect(headers['x-forwarded-proto']).toBe('https')
  workload[Symbol.dispose]()
})

test('no rule is satisfied by a header that the workload will not see', async () => {
  const when = '{ key: "request.headers[x-forwarded-client-cert]", values: ["URI=spiffe://evil"] }'
  await using pair = await startPair(
    policy('PeerAuthentication', '{ mtls: { mode: PERMISSIVE } }') + allow(`{ when: [${when}] }`),
  )
  const header = { 'x-forwarded-client-cert': 'URI=spiffe://evil' }
  expect((await get(pair.server.port('db'), '/', header)).status).toBe(403)
})

test('a caller in plaintext cannot claim a certificate either', async () => {
  await using pair = await startPair(policy('PeerAuthentication', '{ mtls: { mode: PERMISSIVE } }'))
  const header = { 'x-forwarded-client-cert': 'URI=spiffe://evil' }
  const { text } = await get(pair.server.port('db'), '/', header)
  expect(JSON.parse(text).headers).not.toHaveProperty('x-forwarded-client-cert')
})

test.each(['/a/%2e%2e;/c', '/a%00', '/%252e%252e/a'])(
  'the path %s gets 400, and the workload never sees it',
  async (path) => {
    await using pair = await startPair('')
    expect((await pair.get(path)).status).toBe(400)
    await expect.poll(() => pair.server.access).toMatchObject([{ status: 400 }])
  },
)

test('no tunnel is made through the workload: what went through it would be judged by nobody', async () => {
  await using pair = await startPair(
    `${policy('PeerAuthentication', '{ mtls: { mode: PERMISSIVE } }')}`,
  )
  for (const proxy of [pair.server, pair.client]) {
    const socket = connect(proxy.port('db'), '127.0.0.1')
    socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 405 /)
    socket.destroy()
  }
  await expect
    .poll(() => pair.server.access)
    .toMatchObject([
      { method: 'CONNECT', status: 405 },
      { method: 'CONNECT', status: 405 },
    ])
})

test('the first client counts where its proxies are trusted', async () => {
  const from = (block: string) =>
    policy(
      'AuthorizationPolicy',
      `{ rules: [{ from: [{ source: { remoteIpBlocks: ["${block}"] } }] }] }`,
    )
  await using pair = await startPair(from('1.2.3.4'), 'mesh { trusted_hops = 1 }')
  const header = { 'x-forwarded-for': '6.6.6.6, 1.2.3.4' }
  expect((await pair.get('/', header)).status).toBe(200)
  expect((await pair.get('/', { 'x-forwarded-for': '1.2.3.4, 6.6.6.6' })).status).toBe(403)
  await using wary = await startPair(from('1.2.3.4'))
  expect((await wary.get('/', header)).status).toBe(403)
})

test('a caller that stops in the middle of a request line does not get past the parser', async () => {
  const mode = policy('PeerAuthentication', '{ mtls: { mode: PERMISSIVE } }')
  await using pair = await startPair(
    mode + allow('{ to: [{ operation: { paths: ["/public"] } }] }'),
  )
  const socket = connect(pair.server.port('db'), '127.0.0.1')
  socket.write('GET /priv')
  await expect.poll(() => pair.server.context.connections.size, { timeout: 5_000 }).toBe(1)
  socket.end('ate HTTP/1.1\r\nhost: a\r\n\r\n')
  expect((await socket.toArray()).join('')).toMatch(/^HTTP\/1\.1 403 /)
})

const key = await generateKey('ec-p256')
const jwks = JSON.stringify({
  keys: [{ ...createPublicKey(key).export({ format: 'jwk' }), kid: 'a' }],
})
const token = (claims: object) =>
  new CompactSign(Buffer.from(JSON.stringify({ iss: 'issuer', sub: 'me', ...claims })))
    .setProtectedHeader({ alg: 'ES256', kid: 'a' })
    .sign(key)
const WITH_TOKENS =
  policy(
    'RequestAuthentication',
    `{ jwtRules: [{ issuer: issuer, audiences: [shop], jwks: '${jwks}', outputClaimToHeaders: [{ header: x-who, claim: sub }] }] }`,
  ) + allow('{ from: [{ source: { requestPrincipals: ["issuer/me"] } }] }')

test('a good token lets its bearer in and is taken out; its claims are told', async () => {
  await using pair = await startPair(WITH_TOKENS)
  const authorization = `Bearer ${await token({ aud: 'shop' })}`
  const { status, text } = await pair.get('/', { authorization, 'x-who': 'root' })
  expect(status).toBe(200)
  const { headers } = JSON.parse(text)
  expect(headers['x-who']).toBe('me')
  expect(headers).not.toHaveProperty('authorization')
})

test('a header that tells a claim cannot come under another spelling', async () => {
  await using pair = await startPair(WITH_TOKENS)
  const authorization = `Bearer ${await token({ aud: 'shop' })}`
  const { text } = await pair.get('/', { authorization, x_who: 'root', X_Who: 'root', x_whom: 'a' })
  const { headers } = JSON.parse(text)
  expect(headers).toMatchObject({ 'x-who': 'me', x_whom: 'a' })
  expect(headers).not.toHaveProperty('x_who')
})

test('a bad token is refused before policy is asked, and no token has no principal', async () => {
  await using pair = await startPair(WITH_TOKENS)
  const bearer = async (claims: object) => ({ authorization: `Bearer ${await token(claims)}` })
  const expired = await pair.get('/', await bearer({ aud: 'shop', exp: 1 }))
  expect(expired).toMatchObject({ status: 401, text: 'Jwt is expired' })
  expect(expired.headers['www-authenticate']).toMatch(/^Bearer realm=.*error="invalid_token"$/)
  expect(await pair.get('/', await bearer({ aud: 'x' }))).toMatchObject({
    status: 403,
    text: 'Audiences in Jwt are not allowed',
  })
  expect(await pair.get('/', { authorization: 'Bearer x' })).toMatchObject({ status: 401 })
  expect(await pair.get('/')).toMatchObject({ status: 403, text: 'RBAC: access denied' })
})

test('a response that is under way is cut off when policy changes against it', async () => {
  using slow = await startWorkload((_, response) => void response.write('beginning'))
  const inbound = `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${slow.port}" }`
  const strict = policy('PeerAuthentication', '{ mtls: { mode: PERMISSIVE } }')
  await using proxy = await startListeners(sourceOf(db), inbound, strict)
  const asking = request({ host: '127.0.0.1', port: proxy.port('db'), path: '/', agent: false })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  const [chunk] = response === undefined ? [] : await once(response, 'data')
  expect(String(chunk)).toBe('beginning')
  const lost = once(response as IncomingMessage, 'error') // cast: checked in the line above
  proxy.writePolicies(strict + policy('AuthorizationPolicy', '{ action: DENY, rules: [{}] }'))
  expect(await lost).toMatchObject([{ code: 'ECONNRESET' }])
})

test('HTTP/2 and gRPC go through both proxies, and a denial is told in gRPC’s own words', async () => {
  const workload = createHttp2Server((asked, response) => void response.end(`h2 ${asked.url}`))
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  const inbound = `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }`
  const policies = allow(`{ ${OF_WEB}, to: [{ operation: { paths: ["/public"] } }] }`)
  await using server = await startListeners(sourceOf(db), inbound, policies)
  await using client = await startListeners(
    sourceOf(web),
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${server.port('db')}"  protocol = "http2"
      authorize = ["spiffe://example.org/ns/shop/sa/db"]
    }`,
  )
  const session = connectHttp2(`http://127.0.0.1:${client.port('db')}`)
  const ask = async (headers: Record<string, string>) => {
    const stream = session.request(headers)
    const [head] = await once(stream, 'response')
    return { head, text: (await stream.toArray()).join('') }
  }
  const allowed = await ask({ ':path': '/public' })
  expect(allowed).toMatchObject({ head: { ':status': 200 }, text: 'h2 /public' })
  const grpc = { ':method': 'POST', ':path': '/private', 'content-type': 'application/grpc' }
  expect((await ask(grpc)).head).toMatchObject({ ':status': 200, 'grpc-status': '7' })
  session.close()
  workload.close()
})
