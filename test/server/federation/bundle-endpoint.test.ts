import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import {
  type BundleEndpoint,
  serveBundleEndpoint,
} from '../../../server/federation/bundle-endpoint.ts'
import { bundleFetcher } from '../../../server/federation/fetch-bundle.ts'
import type { FederationRelationship } from '../../../server/federation/relationship.ts'
import { svidCertificate } from '../../../server/federation/serving-certificate.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { TEST_NOW, type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'

const partner = parseTrustDomain('partner.org')
const never = new AbortController().signal
let ca: TestCa
let evil: TestCa
let served: Bundle

beforeAll(async () => {
  ca = await testCa({ trustDomain: 'partner.org' })
  evil = await testCa({ trustDomain: 'evil.org' })
  served = { ...ca.bundle, sequenceNumber: 7 }
})

const svidOf = (leaf: TestLeaf) =>
  svidCertificate({ current: () => leaf, onChange: () => () => {} })

async function listen(
  leaf: TestLeaf,
  changes: { port?: number; bundle?: () => Bundle; onFailure?: (error: unknown) => void } = {},
): Promise<BundleEndpoint> {
  return await serveBundleEndpoint({
    ...{ address: '127.0.0.1', port: 0, refreshHintSeconds: 300, onFailure: () => {} },
    ...{ certificate: svidOf(leaf), bundle: () => served, clock: new FakeClock(TEST_NOW) },
    ...changes,
  })
}

const spiffe = (
  port: number,
  id = 'spiffe://partner.org/spire/server',
): FederationRelationship => ({
  trustDomain: partner,
  endpointUrl: `https://127.0.0.1:${port}/`,
  profile: { kind: 'https_spiffe', endpointId: parseSpiffeId(id) },
})

const fetcher = (known: readonly Bundle[] = [ca.bundle]) =>
  bundleFetcher({
    bundleOf: async (domain) => known.find(({ trustDomain }) => trustDomain === domain),
    clock: new FakeClock(TEST_NOW),
  })

/** One request as it is written, and the whole answer. */
function ask(port: number, request: string, localAddress = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const below = connectTcp({ host: '127.0.0.1', port, localAddress }).on('error', reject)
    const socket = connect({ socket: below, rejectUnauthorized: false })
    let text = ''
    socket.on('data', (part) => {
      text += part
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
    socket.write(request)
  })
}

const get = (path: string, ...headers: readonly string[]) =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n`

test('the bundle is served as a document with its number and hint, and fetched by the ID of its server', async () => {
  await using endpoint = await listen(await ca.leaf('/spire/server'))
  const bundle = await fetcher()(spiffe(endpoint.port), never)
  expect(bundle).toMatchObject({
    ...{ trustDomain: partner, sequenceNumber: 7, refreshHintSeconds: 300 },
    x509Authorities: [{ der: Buffer.from(ca.certificate) }],
  })
  expect(await ask(endpoint.port, get('/?x'))).toMatch(
    /^HTTP\/1.1 200 OK\r\ncontent-type: application\/json\r\ncache-control: no-cache\r\netag: "/,
  )
})

test('who knows the bundle already is told so without its bytes', async () => {
  await using endpoint = await listen(await ca.leaf('/spire/server'))
  const [, tag] = /etag: (\S+)/.exec(await ask(endpoint.port, get('/'))) ?? []
  expect(await ask(endpoint.port, get('/', `if-none-match: ${tag}`))).toMatch(/^HTTP\/1.1 304/)
  expect(await ask(endpoint.port, get('/', 'if-none-match: "other"'))).toMatch(/^HTTP\/1.1 200/)
})

const MAX_CONNECTIONS = 1_000
/** What the system lets wait to be accepted is less than all. */
const AT_ONCE = 250

/** Connections from 127.0.0.2 that never say anything. */
async function silent(port: number, count: number) {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () =>
      connectTcp({ host: '127.0.0.1', port, localAddress: '127.0.0.2' })
        .on('error', () => {}) // some are turned away
        .resume(),
    )
    await Promise.all(some.map((socket) => once(socket, 'connect')))
    sockets.push(...some)
  }
  return sockets
}

test('an address that holds connections open keeps nobody else out', async () => {
  await using endpoint = await listen(await ca.leaf('/spire/server'))
  const held = await silent(endpoint.port, MAX_CONNECTIONS + 1)
  expect(await ask(endpoint.port, get('/'))).toMatch(/^HTTP\/1.1 200 /)
  await expect.poll(() => held.filter(({ closed }) => closed).length).toBeGreaterThan(0)
  for (const socket of held) socket.destroy()
  await expect
    .poll(() => ask(endpoint.port, get('/'), '127.0.0.2').catch(String))
    .toMatch(/^HTTP\/1.1 200 /)
})

test('a connection that never says anything does not hold up the end', async () => {
  const endpoint = await listen(await ca.leaf('/spire/server'))
  const [socket] = await silent(endpoint.port, 1)
  await endpoint[Symbol.asyncDispose]()
  await expect.poll(() => socket?.closed).toBe(true)
})

test.for([
  ['another path', get('/keys'), 404],
  [
    'another method',
    'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
    405,
  ],
  ['HEAD', 'HEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 405],
  ['a head of 9 KB', get('/', `x-long: ${'a'.repeat(9 * 1024)}`), 431],
] as const)('refuses %s', async ([, request, status]) => {
  await using endpoint = await listen(await ca.leaf('/spire/server'))
  expect(await ask(endpoint.port, request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
})

test('a bundle that cannot be written is an error of that answer alone, and its reason is not told to strangers', async () => {
  let bundle: Bundle = { ...served, x509Authorities: [{ der: Buffer.from('no'), tainted: false }] }
  const failures: string[] = []
  const onFailure = (error: unknown) => void failures.push(String(error))
  await using endpoint = await listen(await ca.leaf('/spire/server'), {
    ...{ bundle: () => bundle, onFailure },
  })
  const answer = await ask(endpoint.port, get('/'))
  expect(answer).toMatch(/^HTTP\/1.1 500 /)
  expect(answer).toMatch(/\r\n\r\n.*internal error\n/s)
  expect(failures).toEqual([expect.stringContaining('malformed')])
  bundle = served
  expect(await ask(endpoint.port, get('/'))).toMatch(/^HTTP\/1.1 200 /)
})

test('an address that asks too often is told to wait', async () => {
  await using endpoint = await listen(await ca.leaf('/spire/server'))
  const answers = await Promise.all(Array.from({ length: 25 }, () => ask(endpoint.port, get('/'))))
  expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 200'))).toHaveLength(20)
  expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 429'))).toHaveLength(5)
})

test.for([
  [
    'has another ID of its trust domain',
    () => ca.leaf('/w'),
    /is spiffe:\/\/partner.org\/w, expected/,
  ],
  [
    'has an SVID of another trust domain',
    () => evil.leaf('/spire/server'),
    /cannot be vouched for/,
  ],
  [
    'has an SVID of our name by a foreign authority',
    () => evil.leaf('/spire/server', { uriSans: ['spiffe://partner.org/spire/server'] }),
    /could not verify/,
  ],
  [
    'has an SVID that has expired',
    () => ca.leaf('/spire/server', { notAfter: new Date(TEST_NOW.getTime() - 1_000) }),
    /could not verify/,
  ],
] as const)('an endpoint that %s is not asked', async ([, leafOf, reason]) => {
  await using endpoint = await listen(await leafOf())
  await expect(fetcher()(spiffe(endpoint.port), never)).rejects.toThrow(reason)
})

test('without the bundle of the endpoint’s trust domain nothing is fetched', async () => {
  await using endpoint = await listen(await ca.leaf('/spire/server'))
  await expect(fetcher([])(spiffe(endpoint.port), never)).rejects.toThrow(
    /local copy of bundle not found/,
  )
})

test('an endpoint of the Web profile must have a certificate of the Web', async () => {
  await using endpoint = await listen(await ca.leaf('/spire/server'))
  const web = { ...spiffe(endpoint.port), profile: { kind: 'https_web' } } as const
  await expect(fetcher()(web, never)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('a port that is taken is said to be, with the key to change', async () => {
  const leaf = await ca.leaf('/spire/server')
  await using endpoint = await listen(leaf)
  await expect(listen(leaf, { port: endpoint.port })).rejects.toThrow(
    /EADDRINUSE.*choose another federation.bundle_endpoint.port/,
  )
})
