import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readClientHello } from '../../../proxy/listen/client-hello.ts'
import { sniff, sniffPlaintext } from '../../../proxy/listen/sniff.ts'

/** What a real client sends first. */
async function realHello(options: ConnectionOptions): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      if (readClientHello(bytes).kind !== 'more') resolve(bytes)
    })
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  client.on('error', () => {})
  const bytes = await promise
  client.destroy()
  server.close()
  return bytes
}

const hello = await realHello({
  servername: 'shop.example',
  ALPNProtocols: ['istio-http/1.1', 'istio', 'http/1.1'],
})

test('server name and protocols are read from what a real client sends', () => {
  expect(readClientHello(hello)).toEqual({
    kind: 'hello',
    hello: { serverName: 'shop.example', alpn: ['istio-http/1.1', 'istio', 'http/1.1'] },
  })
})

test.each([
  ['of TLS 1.2', { maxVersion: 'TLSv1.2' as const }],
  ['with a post-quantum key', { ecdhCurve: 'X25519MLKEM768' }],
])('a hello %s without a name or protocols has neither', async (_, options) => {
  const bytes = await realHello(options)
  expect(readClientHello(bytes)).toEqual({
    kind: 'hello',
    hello: { serverName: undefined, alpn: [] },
  })
})

test('each beginning of a hello asks for more, and the whole is known at its last byte', () => {
  for (let end = 0; end < hello.length; end += 1) {
    expect(readClientHello(hello.subarray(0, end)).kind, `${end} bytes`).toBe('more')
  }
  expect(sniff(hello).kind).toBe('tls')
})

/** The same message in records of other lengths. */
function inRecords(message: Buffer, lengths: readonly number[]): Buffer {
  const records: Buffer[] = []
  let at = 0
  for (let index = 0; at < message.length; index += 1) {
    const part = message.subarray(at, at + (lengths[index % lengths.length] ?? 1))
    records.push(Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 0xff]), part)
    at += part.length
  }
  return Buffer.concat(records)
}

test('a hello that is spread over records is read the same', () => {
  const message = hello.subarray(5)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 40, max: 2000 }), { minLength: 1 }), (lengths) => {
      expect(readClientHello(inRecords(message, lengths))).toEqual(readClientHello(hello))
    }),
  )
})

test('a hello in more records than anybody needs is none', () => {
  expect(readClientHello(inRecords(hello.subarray(5), [1])).kind).toBe('none')
})

test('no bytes make the reader throw, or ask for more than its bound', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const any = Buffer.from(bytes)
      expect(['more', 'hello', 'none']).toContain(readClientHello(any).kind)
      expect(sniffPlaintext(any).kind).not.toBe('tls')
    }),
  )
  fc.assert(
    fc.property(fc.nat(hello.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const changed = Buffer.from(hello)
      changed[at] = byte
      expect(['more', 'hello', 'none']).toContain(readClientHello(changed).kind)
    }),
  )
})

test.each([
  ['another handshake message', [0x16, 3, 1, 0, 4, 2, 0, 0, 0]],
  ['an empty record', [0x16, 3, 1, 0, 0]],
  ['a record beyond its bound', [0x16, 3, 1, 0xff, 0xff]],
  ['an alert', [0x15, 3, 1, 0, 2, 2, 40]],
  ['a message beyond its bound', [0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]],
])('%s is no hello', (_, bytes) => {
  expect(readClientHello(Buffer.from(bytes)).kind).toBe('none')
})

const kindOf = (text: string) => sniff(Buffer.from(text, 'latin1')).kind

test.each([
  ['GET / HTTP/1.1\r\n', 'http1'],
  ['POST /a?b=c HTTP/1.0\n', 'http1'],
  ['M-SEARCH * HTTP/1.1\r\nhost: a\r\n', 'http1'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore', 'http2'],
  ['PRI * HT', 'more'],
  ['PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', 'http1'],
  ['GE', 'more'],
  ['GET ', 'more'],
  ['GET /a', 'more'],
  ['', 'more'],
  // What only lenient servers take for HTTP/1 is for the strict parser to refuse.
  ['GET /\r\n', 'http1'],
  ['GET / HTTP/3.0\r\n', 'http1'],
  ['GET  HTTP/1.1\r\n', 'http1'],
  ['get / HTTP/1.1\r\n', 'http1'],
  ['\r\n\nGET / HTTP/1.1\r\n', 'http1'],
  ['\r\n', 'more'],
  // Some servers skip any number of empty lines.
  ['\n'.repeat(100), 'http1'],
  [`${'\r\n'.repeat(50)}GET /admin HTTP/1.1\r\n`, 'http1'],
  ['GET\x0b/\x0cHTTP/1.1\r\n', 'http1'],
  ['GET\r/\rHTTP/1.1\r\n', 'http1'],
  ['GET\xa0/\x85HTTP/1.1\r\n', 'http1'],
  [' GET / HTTP/1.1\r\n', 'http1'],
  ['\x0b', 'more'],
  ['G_1.T / HTTP/1.1\r\n', 'http1'],
  [`${'X'.repeat(100)} / HTTP/1.1\r\n`, 'http1'],
  ['X'.repeat(100), 'more'],
  ['G1', 'more'],
  ['GET / \r\n', 'http1'],
  ['+OK /\r\n', 'other'],
  ['<134>1 - "GET / HTTP/1.1" 200\n', 'other'],
  ['get /a', 'more'],
  ['GET http://shop', 'more'],
  ['SET key 1\r\n', 'other'],
  ['EHLO shop.example\r\n', 'other'],
  ['*1\r\n$4\r\nPING\r\n', 'other'],
  ['SSH-2.0-OpenSSH\r\n', 'other'],
  ['\0\0\0\x08\x04\xd2\x16\x2f', 'other'],
  [`GET /${'a'.repeat(9000)}`, 'http1'],
])('%j is %s', (text, kind) => {
  expect(kindOf(text)).toBe(kind)
})

test('what is known at some point stays so, however much follows', () => {
  const known = fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '+PONG\r\n',
  )
  fc.assert(
    fc.property(known, fc.string(), (begin, rest) => {
      expect(kindOf(begin + rest)).toBe(kindOf(begin))
    }),
  )
})

test('no line takes longer for what it repeats', () => {
  const long = 8 * 1024 - 8
  for (const run of [' ', 'a', '/', '\t\r', ' HTTP', 'a ']) {
    for (const tail of ['', 'x', '\0', '\n', 'x\n']) {
      for (const start of ['', 'GET ', 'GET /']) {
        const line = `${start}${run.repeat(long / run.length)}`.slice(0, long) + tail
        for (let round = 0; round < 20; round += 1) expect(kindOf(line)).not.toBe('tls')
      }
    }
  }
})

test.each([
  'GET x HTTP/1.1\r\n',
  'I \x00 HTTP/\n',
  'GET\tadmin\tHTTP/1.1\r\n',
  `GET x${'y'.repeat(9_000)} HTTP/1.1\r\n`,
])('%j is judged alike in one piece and in any two', (text) => {
  const bytes = Buffer.from(text, 'latin1')
  const { kind } = sniffPlaintext(bytes)
  for (let end = 1; end < bytes.length; end += 1) {
    expect(['more', kind], `${end} bytes`).toContain(sniffPlaintext(bytes.subarray(0, end)).kind)
  }
})
