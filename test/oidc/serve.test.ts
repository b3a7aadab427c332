import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { Question } from '../../oidc/answer.ts'
import { type Listen, serveDocuments } from '../../oidc/serve.ts'
import { toPkcs8 } from '../../spiffe/key.ts'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import { type TestLeaf, testCa } from '../fakes/ca.ts'

let leaf: TestLeaf
beforeAll(async () => {
  leaf = await (await testCa()).leaf('/oidc')
})

const http: Listen = { kind: 'http', at: { host: '127.0.0.1', port: 0 } }
const https = (): Listen => ({
  kind: 'https',
  at: { host: '127.0.0.1', port: 0 },
  certificate: {
    current: () => ({
      cert: toPemChain(leaf.chain),
      key: toPem('PRIVATE KEY', toPkcs8(leaf.key)),
    }),
    onChange: () => () => {},
  },
})

async function serving(listen: Listen) {
  const asked: Question[] = []
  const served = await serveDocuments(listen, {
    answer: () => ({ status: 200, headers: {}, body: 'yes' }),
    onRequest: (question) => void asked.push(question),
  })
  return { ...served, asked }
}

/** All that comes back for these bytes until the other end closes. */
async function say(socket: Socket, bytes: Uint8Array | string): Promise<string> {
  let text = ''
  socket.on('data', (part) => {
    text += part
  })
  socket.on('error', () => {})
  socket.end(bytes)
  if (!socket.closed) await once(socket, 'close')
  return text
}

const get = (path: string, ...headers: readonly string[]) =>
  `GET ${path} HTTP/1.1\r\n${['connection: close', ...headers].join('\r\n')}\r\n\r\n`

test('what a proxy in front says of host and scheme counts, and a query does not', async () => {
  await using served = await serving(http)
  await say(connect(served.port, '127.0.0.1'), get('/keys?x=1', 'host: inside'))
  const forwarded = ['host: inside', 'x-forwarded-host: outside', 'x-forwarded-proto: https']
  await say(connect(served.port, '127.0.0.1'), get('/keys', ...forwarded))
  expect(served.asked).toEqual([
    { method: 'GET', path: '/keys', host: 'inside', isHttps: false },
    { method: 'GET', path: '/keys', host: 'outside', isHttps: true },
  ])
})

test('two headers that name two hosts name none that is allowed', async () => {
  await using served = await serving(http)
  const twice = ['host: a', 'x-forwarded-host: a', 'x-forwarded-host: b']
  await say(connect(served.port, '127.0.0.1'), get('/keys', ...twice))
  expect(served.asked).toMatchObject([{ host: 'a, b' }])
})

test('over TLS the scheme is https, whatever the caller says', async () => {
  await using served = await serving(https())
  const socket = connectTls({ host: '127.0.0.1', port: served.port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  await say(socket, get('/keys', 'host: a', 'x-forwarded-proto: http'))
  expect(served.asked).toMatchObject([{ isHttps: true }])
})

test('a connection that never says anything does not hold up the end', async () => {
  const served = await serving(https())
  const socket = connect(served.port, '127.0.0.1').on('error', () => {})
  await once(socket.resume(), 'connect')
  await served[Symbol.asyncDispose]()
  await expect.poll(() => socket.closed).toBe(true)
})

test('whatever strangers send, the next one is answered', async () => {
  await using served = await serving(http)
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string().map((text) => Buffer.from(`GET ${text} HTTP/1.1\r\nhost: ${text}\r\n\r\n`)),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (garbage) => {
      await say(connect(served.port, '127.0.0.1'), garbage)
      const answer = await say(connect(served.port, '127.0.0.1'), get('/keys', 'host: a'))
      expect(answer).toMatch(/^HTTP\/1.1 200 /)
    }),
    { numRuns: 50 },
  )
})
