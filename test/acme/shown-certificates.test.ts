import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { challengeCertificate, placeholderCertificate } from '../../acme/challenge-certificate.ts'
import { showCertificates } from '../../acme/shown-certificates.ts'
import { generateKey } from '../../spiffe/key.ts'

const now = new Date('2026-01-01T00:00:00Z')
const key = await generateKey('ec-p256')
const deps = { key, now, randomBytes }
const certificateOf = (name: string) => placeholderCertificate(name, deps)

async function listen(domains: readonly string[]) {
  const shown = showCertificates(domains, certificateOf('nobody.test'))
  const server = createServer({ ...shown.current(), ...shown.tls }, (_request, response) => {
    response.end('hello')
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  shown.onChange(() => server.setSecureContext(shown.current()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return {
    shown,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Greets, asks, and tells what was shown, agreed on and answered. */
function greet(port: number, servername: string, ALPNProtocols: string[], maxVersion = 'TLSv1.3') {
  return new Promise<{
    readonly name: string | undefined
    readonly alpn: unknown
    readonly text: string
  }>((resolve, reject) => {
    // Cast: the two versions that the tests name.
    const version = {
      minVersion: 'TLSv1.2',
      maxVersion: maxVersion as 'TLSv1.2' | 'TLSv1.3',
    } as const
    const options = { host: '127.0.0.1', port, servername, ...version, rejectUnauthorized: false }
    const socket = connect({ ...options, ALPNProtocols }, () => {
      const { subjectaltname: name } = socket.getPeerCertificate()
      const alpn = socket.alpnProtocol
      let text = ''
      socket.on('data', (part) => {
        text += part
      })
      socket.on('close', () => resolve({ name, alpn, text: text.split('\r\n')[0] ?? '' }))
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      socket.on('error', () => {}) // it is closed while we write
    })
    socket.once('error', reject)
  })
}

test.for([
  ['TLSv1.2', 'before there is a certificate', []],
  ['TLSv1.3', 'before there is a certificate', []],
  ['TLSv1.2', 'in place of the first certificate', ['web.test']],
  ['TLSv1.3', 'in place of the first certificate', ['web.test']],
  ['TLSv1.2', 'in place of another certificate', ['web.test', 'more.test']],
  ['TLSv1.3', 'in place of another certificate', ['web.test', 'more.test']],
] as const)('by %s a proof is shown %s, and no request is answered', async ([version, , there]) => {
  await using server = await listen(['web.test', 'more.test'])
  for (const name of there) server.shown.show(name, certificateOf(name))
  for (const name of ['web.test', 'more.test']) {
    using _proof = server.shown.prove(name, challengeCertificate(`proof.${name}`, 'a.b', deps))
    expect(await greet(server.port, name, ['acme-tls/1'], version)).toEqual({
      ...{ name: `DNS:proof.${name}`, alpn: 'acme-tls/1', text: '' },
    })
  }
})

test('while a name is verified, clients see its certificate and are answered', async () => {
  await using server = await listen(['web.test'])
  server.shown.show('web.test', certificateOf('web.test'))
  using _proof = server.shown.prove('web.test', challengeCertificate('proof.test', 'a.b', deps))
  for (const protocols of [[], ['http/1.1'], ['h2', 'http/1.1'], ['acme-tls/1', 'http/1.1']]) {
    const { name, text } = await greet(server.port, 'web.test', protocols)
    expect([name, text]).toEqual(['DNS:web.test', 'HTTP/1.1 200 OK'])
  }
})

test.for([
  ['for a name that nobody has to verify', 'other.test', ['acme-tls/1']],
  ['beside another protocol', 'web.test', ['acme-tls/1', 'h2']],
  ['for HTTP/2 alone', 'web.test', ['h2']],
] as const)('refuses who asks %s', async ([, name, protocols]) => {
  await using server = await listen(['web.test', 'other.test'])
  using _proof = server.shown.prove('web.test', challengeCertificate('web.test', 'a.b', deps))
  await expect(greet(server.port, name, [...protocols])).rejects.toThrow(/no application protocol/)
})

test('a proof is shown no more when the CA has judged', async () => {
  await using server = await listen(['web.test'])
  server.shown.prove('web.test', challengeCertificate('web.test', 'a.b', deps))[Symbol.dispose]()
  await expect(greet(server.port, 'web.test', ['acme-tls/1'])).rejects.toThrow(
    /no application protocol/,
  )
})

test('each name has its own certificate, in any case, and other names have none', async () => {
  await using server = await listen(['a.test', 'b.test'])
  const seen = async (name: string) => (await greet(server.port, name, [])).name
  expect(await seen('a.test')).toBe('DNS:nobody.test')
  server.shown.show('b.test', certificateOf('b.test'))
  expect(await seen('a.test')).toBe('DNS:nobody.test')
  server.shown.show('a.test', certificateOf('a.test'))
  expect(await seen('a.test')).toBe('DNS:a.test')
  expect(await seen('B.test')).toBe('DNS:b.test')
  await expect(seen('c.test')).rejects.toThrow()
})
