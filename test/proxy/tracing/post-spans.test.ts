import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { spanPoster } from '../../../proxy/tracing/post-spans.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { toPkcs8 } from '../../../spiffe/key.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { makeCertificate } from '../../fakes/certificate.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { startCollector } from './collector.ts'

const BODY = JSON.stringify({ resourceSpans: [] })
const never = new AbortController().signal

function poster(
  port: number,
  change: { readonly isSecure?: boolean; readonly ca?: string; readonly headersFile?: string } = {},
  clock = systemClock,
) {
  const { isSecure = false, ca, headersFile } = change
  const host = isSecure ? 'localhost' : '127.0.0.1'
  return spanPoster({
    endpoint: {
      ...{ isSecure, host, authority: `${host}:${port}`, path: '/v1/traces' },
      address: { kind: 'tcp', host: '127.0.0.1', port },
      url: `http${isSecure ? 's' : ''}://${host}:${port}`,
    },
    ...{ headersFile, ca, socketMark: undefined, clock },
  })
}

test('a batch is one request, and its answer is handed back', async () => {
  using collector = await startCollector(undefined, (response) => void response.end('{"a":1}'))
  const post = poster(collector.port)
  expect(await post(BODY, never)).toEqual({ kind: 'taken', answer: '{"a":1}' })
  expect(collector.asked).toMatchObject([
    {
      url: '/v1/traces',
      headers: { 'content-type': 'application/json', host: `127.0.0.1:${collector.port}` },
    },
  ])
})

const answering =
  (status: number, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end('{}')

test.each([429, 502, 503, 504])('a collector that answers %i is asked again', async (status) => {
  using collector = await startCollector(undefined, answering(status))
  expect(await poster(collector.port)(BODY, never)).toEqual({
    ...{ kind: 'away', reason: `it answered ${status}, expected 200` },
  })
})

test.each([301, 307, 400, 401, 404, 413, 500])(
  'what is answered by %i is not sent again',
  async (status) => {
    using other = await startCollector()
    using collector = await startCollector(undefined, answering(status, { location: other.url }))
    expect(await poster(collector.port)(BODY, never)).toMatchObject({ kind: 'refused' })
    expect(other.asked).toEqual([])
  },
)

test('an answer without end is not read to its end', async () => {
  using collector = await startCollector(undefined, (response) => {
    response.on('error', () => {})
    const more = () => {
      while (response.write('a'.repeat(16_384)));
    }
    response.on('drain', more)
    more()
  })
  expect(await poster(collector.port)(BODY, never)).toMatchObject({
    ...{ kind: 'refused', reason: expect.stringMatching(/more than 65536 bytes/) },
  })
})

test('a collector that takes the connection and says nothing is given up after five seconds', async () => {
  const silent = createServer(() => {})
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo // cast: it listens on TCP
  for (const isSecure of [false, true]) {
    const clock = new FakeClock()
    const reached = once(silent, 'connection')
    const posted = poster(port, { isSecure }, clock)(BODY, never)
    const [socket] = await reached
    const closed = once(socket, 'close')
    socket.on('error', () => {}).resume()
    await clock.sleepers(1)
    clock.advance(5_000)
    expect(await posted).toEqual({ kind: 'away', reason: 'no answer within 5 s' })
    await closed
  }
  silent.close()
})

test('nobody there is a collector that is away', async () => {
  const gone = await startCollector()
  gone[Symbol.dispose]()
  expect(await poster(gone.port)(BODY, never)).toMatchObject({
    ...{ kind: 'away', reason: expect.stringMatching(/ECONNREFUSED/) },
  })
})

const HOUR_MS = 3_600_000

async function serverCertificate(dnsName: string) {
  const nowMs = systemClock.now().getTime()
  const made = await makeCertificate(undefined, {
    notBefore: new Date(nowMs - HOUR_MS),
    notAfter: new Date(nowMs + HOUR_MS),
    ...{ isCa: true, keyUsage: undefined, dnsNames: [dnsName], uriSans: [] },
  })
  return {
    cert: toPem('CERTIFICATE', made.certificate),
    key: toPem('PRIVATE KEY', toPkcs8(made.key)),
  }
}

test('over TLS the collector must be the one that the CAs vouch for, by its name', async () => {
  const tls = await serverCertificate('localhost')
  using collector = await startCollector(tls)
  const trusted = poster(collector.port, { isSecure: true, ca: tls.cert })
  expect(await trusted(BODY, never)).toEqual({ kind: 'taken', answer: '{}' })
  const unknown = poster(collector.port, { isSecure: true })
  expect(await unknown(BODY, never)).toMatchObject({ kind: 'away' })
  const other = await serverCertificate('elsewhere')
  using impostor = await startCollector(other)
  const misled = poster(impostor.port, { isSecure: true, ca: other.cert })
  expect(await misled(BODY, never)).toMatchObject({ kind: 'away' })
  expect([collector.asked.length, impostor.asked.length]).toEqual([1, 0])
})

test('the headers of the file go with each request, as they are then', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'steeple-'))
  const headersFile = join(folder, 'headers')
  using collector = await startCollector()
  const post = poster(collector.port, { headersFile })
  for (const token of ['one', 'two']) {
    await writeFile(headersFile, `Authorization: Bearer ${token}\n`)
    await post(BODY, never)
  }
  await rm(folder, { recursive: true })
  expect(collector.asked.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer one',
    'Bearer two',
  ])
  const reason = expect.stringMatching(/headers_file .* cannot be read/)
  expect(await post(BODY, never)).toMatchObject({ kind: 'away', reason })
  expect(collector.asked).toHaveLength(2) // without them it is not asked
})
