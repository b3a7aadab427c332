/** Endpoints that have proved who they are, and then answer with something else than a bundle. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { bundleFetcher } from '../../../server/federation/fetch-bundle.ts'
import { svidCertificate } from '../../../server/federation/serving-certificate.ts'
import { formatBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { TEST_NOW, type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'

let ca: TestCa
let leaf: TestLeaf
beforeAll(async () => {
  ca = await testCa({ trustDomain: 'partner.org' })
  leaf = await ca.leaf('/spire/server')
})

type Reply = (response: ServerResponse, request: IncomingMessage) => void

/** What comes of fetching from an endpoint that replies so. @param advanceMs once it has been asked */
async function fetchFrom(reply: Reply, advanceMs = 0) {
  const asked: string[] = []
  const { cert, key } = svidCertificate({ current: () => leaf, onChange: () => () => {} }).current()
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url ?? '')
    reply(response, request)
    if (advanceMs > 0) clock.advance(advanceMs)
  })
  const clock = new FakeClock(TEST_NOW)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // Cast: it listens on a port.
  const { port } = server.address() as AddressInfo
  const endpointId = parseSpiffeId('spiffe://partner.org/spire/server')
  const relationship = {
    ...{ trustDomain: ca.trustDomain, endpointUrl: `https://127.0.0.1:${port}/bundle` },
    profile: { kind: 'https_spiffe', endpointId },
  } as const
  try {
    const fetchBundle = bundleFetcher({ bundleOf: async () => ca.bundle, clock })
    const bundle = await fetchBundle(relationship, new AbortController().signal)
    return { bundle, asked }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

test('a redirect to another path of an endpoint that proves the same is followed', async () => {
  const { bundle, asked } = await fetchFrom((response, { url }) => {
    if (url === '/bundle') response.writeHead(302, { location: '/moved?x=1' }).end()
    else response.end(formatBundleDocument(ca.bundle))
  })
  expect(bundle).toEqual(ca.bundle)
  expect(asked).toEqual(['/bundle', '/moved?x=1'])
})

test.for<readonly [string, Reply, object]>([
  [
    'redirects for ever',
    (response) => response.writeHead(302, { location: '/bundle' }).end(),
    { code: 'UNAVAILABLE', message: 'the endpoint redirects more than 5 times' },
  ],
  [
    'redirects to an address without https',
    (response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end(),
    { message: expect.stringContaining('must use the https scheme') },
  ],
  [
    'redirects to no address',
    (response) => response.writeHead(302, { location: 'https://[::::' }).end(),
    { code: 'UNAVAILABLE', message: expect.stringContaining('redirects to "https://[::::"') },
  ],
  [
    'answers with an error',
    (response) => response.writeHead(500).end('secret'),
    { code: 'UNAVAILABLE', message: 'the endpoint answered 500, expected 200' },
  ],
  [
    'serves more than a bundle can be',
    (response) => response.end(Buffer.alloc((4 << 20) + 1, ' ')),
    { code: 'BUNDLE_MALFORMED', message: 'the document is longer than 4194304 bytes' },
  ],
  [
    'serves bytes that are no text',
    (response) => response.end(Buffer.from([0x1f, 0x8b, 1, 2])),
    { code: 'BUNDLE_MALFORMED', message: 'the document is not UTF-8' },
  ],
  ['serves something else', (response) => response.end('<html>'), { code: 'BUNDLE_MALFORMED' }],
  [
    'switches to another protocol',
    (response) => response.writeHead(101, { connection: 'upgrade', upgrade: 'x' }).end(),
    { code: 'UNAVAILABLE', message: expect.stringContaining('without an answer') },
  ],
  [
    'hangs up',
    (response) => response.destroy(),
    { code: 'UNAVAILABLE', message: 'socket hang up' },
  ],
  [
    'hangs up within the document',
    (response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"keys"', () => response.destroy())
    },
    { code: 'UNAVAILABLE', message: expect.stringContaining('within the document') },
  ],
])('an endpoint that %s is refused with that reason', async ([, reply, refusal]) => {
  await expect(fetchFrom(reply)).rejects.toMatchObject(refusal)
})

test('an endpoint that never ends its document is given up', async () => {
  const reply: Reply = (response) => void response.writeHead(200).write(' ')
  await expect(fetchFrom(reply, 20_000)).rejects.toMatchObject({
    ...{ code: 'UNAVAILABLE', message: expect.stringContaining('in time') },
  })
})
