import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { expect, test } from 'vitest'
import { checkAcmeUrl, httpsExchange } from '../../acme/transport.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { makeCertificate } from '../fakes/certificate.ts'
import { FakeClock } from '../fakes/clock.ts'

const now = systemClock.now().getTime()
const made = await makeCertificate(undefined, {
  ...{ isCa: true, dnsNames: ['localhost'], subject: 'CN=ca' },
  ...{ notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) },
})
const cert = toPem('CERTIFICATE', made.certificate)
const key = String(made.key.export({ type: 'pkcs8', format: 'pem' }))
const never = new AbortController().signal

async function listen(answer: RequestListener, isTls = true) {
  const server = isTls ? createHttpsServer({ cert, key }, answer) : createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    url: (name = 'localhost') => `https://${name}:${port}/`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const get = (url: string, signal = never, roots = [cert], clock = new FakeClock()) =>
  httpsExchange({ clock, roots })({ method: 'GET', url, body: undefined }, signal)

test('a question is put as it is, and its answer is given whole', async () => {
  await using server = await listen((request, response) => {
    response.writeHead(201, { 'replay-nonce': 'n', location: '' })
    let text = ''
    request.on('data', (part) => {
      text += part
    })
    request.on('end', () => response.end(`${request.headers['content-type']} ${text}`))
  })
  const exchange = httpsExchange({ clock: new FakeClock(), roots: [cert] })
  const asked = { method: 'POST', url: server.url(), body: '{}' } as const
  const { status, header, body } = await exchange(asked, never)
  expect([status, body]).toEqual([201, 'application/jose+json {}'])
  expect([header('replay-nonce'), header('location'), header('x')]).toEqual([
    'n',
    undefined,
    undefined,
  ])
})

test.for([
  ['another root', 'localhost', [], /self-signed certificate/],
  ['another name', '127.0.0.1', [cert], /does not match certificate/],
] as const)('a server of %s is asked nothing', async ([, name, roots, why]) => {
  let asked = 0
  await using server = await listen(() => {
    asked += 1
  })
  await expect(get(server.url(name), never, [...roots])).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(why),
  })
  expect(asked).toBe(0)
})

test('a server without TLS is asked nothing', async () => {
  await using server = await listen((_request, response) => response.end(), false)
  await expect(get(server.url())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('a redirect is an answer, and leads nowhere', async () => {
  const seen: (string | undefined)[] = []
  await using server = await listen((request, response) => {
    seen.push(request.url)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  expect((await get(server.url())).status).toBe(302)
  expect(seen).toEqual(['/'])
})

test('an answer longer than a megabyte is not read to its end', async () => {
  await using server = await listen((_request, response) => {
    response.end(Buffer.alloc((1 << 20) + 1))
  })
  await expect(get(server.url())).rejects.toThrow(/longer than 1048576 bytes/)
})

test('a server that does not answer in half a minute is given up', async () => {
  const clock = new FakeClock()
  await using server = await listen(() => clock.advance(30_000))
  await expect(get(server.url(), never, [cert], clock)).rejects.toThrow(
    /no answer within 30 seconds/,
  )
})

test('whoever stops waiting does not leave a request behind', async () => {
  const stop = new AbortController()
  await using server = await listen(() => stop.abort())
  await expect(get(server.url(), stop.signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test.for([
  'http://ca.test/',
  'file:///etc/passwd',
  'https://user@ca.test/',
  'https://user:word@ca.test/',
  'ca.test/directory',
  '',
  `https://ca.test/${'a'.repeat(2_048)}`,
])('refuses the address %s', async (url) => {
  expect(() => checkAcmeUrl(url)).toThrow(/expected an https URL/)
  await expect(get(url)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
