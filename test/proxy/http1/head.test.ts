import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyText } from '../../fakes/any-text.ts'
import { readByUs } from './read-requests.ts'

const read = (text: string) => readByUs([Buffer.from(text, 'latin1')])
const withLines = (...lines: string[]) => `GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`

describe('a request head is refused', () => {
  test.for([
    ['a bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
    ['a bare LF after a header', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400],
    ['a bare LF as the empty line', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
    ['a CR without LF in a value', withLines('Host: a\rb'), 400],
    ['a folded line', withLines('Host: a', ' b'), 400],
    ['white space before the first header', withLines(' Host: a'), 400],
    ['white space before the colon', withLines('Host : a'), 400],
    ['a header without a name', withLines('Host: a', ': b'), 400],
    ['a header without a colon', withLines('Host: a', 'b'), 400],
    ['NUL in a value', withLines('Host: a', 'X: \0'), 400],
    ['a control character in a value', withLines('Host: a', 'X: \x1b'), 400],
    ['DEL in a value', withLines('Host: a', 'X: \x7f'), 400],
    ['a control character in a name', withLines('Host: a', 'X\x01: b'), 400],
    ['a byte from 0x80 in a name', withLines('Host: a', 'X\xe9: b'), 400],
    [
      'two lengths that differ',
      withLines('Host: a', 'Content-Length: 1', 'Content-Length: 2'),
      400,
    ],
    ['two lengths that agree', withLines('Host: a', 'Content-Length: 1', 'Content-Length: 1'), 400],
    ['a list of lengths', withLines('Host: a', 'Content-Length: 1, 1'), 400],
    ['a signed length', withLines('Host: a', 'Content-Length: +1'), 400],
    ['an empty length', withLines('Host: a', 'Content-Length:'), 400],
    ['a hexadecimal length', withLines('Host: a', 'Content-Length: 0x1'), 400],
    [
      'a length beyond exact numbers',
      withLines('Host: a', `Content-Length: ${'9'.repeat(16)}`),
      400,
    ],
    [
      'a length and chunks',
      withLines('Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
      400,
    ],
    [
      'chunks and a length',
      withLines('Host: a', 'Transfer-Encoding: chunked', 'Content-Length: 1'),
      400,
    ],
    [
      'chunked twice',
      withLines('Host: a', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
      400,
    ],
    ['chunked, chunked', withLines('Host: a', 'Transfer-Encoding: chunked, chunked'), 501],
    [
      'another coding before chunked',
      withLines('Host: a', 'Transfer-Encoding: gzip, chunked'),
      501,
    ],
    ['another coding after chunked', withLines('Host: a', 'Transfer-Encoding: chunked, gzip'), 501],
    ['identity', withLines('Host: a', 'Transfer-Encoding: identity'), 501],
    ['chunked with a vertical tab', withLines('Host: a', 'Transfer-Encoding: \x0bchunked'), 400],
    ['chunks in HTTP/1.0', 'GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['an empty Host', withLines('Host:'), 400],
    ['two Hosts', withLines('Host: a', 'Host: a'), 400],
    ['a Host with a path', withLines('Host: a/b'), 400],
    ['a Host with user information', withLines('Host: u@a'), 400],
    ['a list of Hosts', withLines('Host: a,b'), 400],
    ['another host in the target', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['another port in the target', 'GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['another scheme in the target', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a relative target', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['* for anything but OPTIONS', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['CONNECT with a path', 'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['CONNECT to another host than Host', 'CONNECT b:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 400],
    ['a method in lower case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['HTTP/0.9', 'GET /\r\n\r\n', 400],
    ['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\n', 400],
    ['a version that we do not speak', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
    ['a version in lower case', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
    ['two spaces in the request line', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a tab in the request line', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a byte from 0x80 in the target', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['empty lines without end', '\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    [
      'a name that an application reads as Content-Length',
      withLines('Host: a', 'content_length: 1'),
      400,
    ],
    [
      'a name that an application reads as the client certificate',
      withLines('Host: a', 'X_Forwarded_Client_Cert: b'),
      400,
    ],
    ['Connection that names the Host', withLines('Host: a', 'Connection: host, cookie'), 400],
    [
      'Connection that names the client certificate',
      withLines('Host: a', 'Connection: close, X-Forwarded-Client-Cert'),
      400,
    ],
    ['Connection that is no list of tokens', withLines('Host: a', 'Connection: a b'), 400],
    ['two Upgrade headers', withLines('Host: a', 'Upgrade: a', 'Upgrade: b'), 400],
    [
      'too many lines',
      withLines('Host: a', ...Array.from({ length: 20 }, (_, i) => `x${i}: y`)),
      431,
    ],
    ['too many bytes', withLines('Host: a', `X: ${'y'.repeat(4096)}`), 431],
    ['a target with too many bytes', `GET /${'y'.repeat(5000)}`, 431],
  ] as const)('for %s', ([, text, status]) => {
    const seen = read(text)
    expect(seen.requests).toEqual([])
    expect(seen.status).toBe(status)
    expect(seen.refusal).not.toBe('')
  })
})

test('every byte that may not stand in a header value is refused', () => {
  for (let byte = 0; byte < 256; byte += 1) {
    const seen = read(withLines('Host: a', `X: a${String.fromCharCode(byte)}b`))
    const allowed = byte === 9 || (byte >= 32 && byte !== 127)
    expect(seen.requests.length, `byte ${byte}`).toBe(allowed ? 1 : 0)
  }
})

test('a head is read with its lines trimmed, in order, repeated ones apart', () => {
  const seen = read(withLines('Host:a', 'X:  1\t ', 'x: 2, 3', 'Y:'))
  expect(seen.requests).toEqual([
    {
      method: 'GET',
      target: '/',
      headers: ['Host', 'a', 'X', '1', 'x', '2, 3', 'Y', ''],
      complete: true,
    },
  ])
})

test('white space inside of Connection costs no more than any other byte', () => {
  const bounds = { headBytes: 1024 * 1024, headers: 20 }
  const spaces = ' '.repeat(1024 * 1023)
  const bytes = Buffer.from(withLines('Host: a', `Connection: a${spaces}a`))
  expect(readByUs([bytes], bounds).refusal).toBe('the Connection header is malformed')
})

test('values are read as UTF-8, as policies are written', () => {
  expect(
    read(withLines('Host: a', `X: ${Buffer.from('é').toString('latin1')}`)).requests[0]?.headers,
  ).toContain('é')
})

test('up to two empty lines before a request are skipped', () => {
  expect(read(`\r\n\r\n${withLines('Host: a')}`).requests).toHaveLength(1)
})

test('the absolute form is read when it names the same host', () => {
  const text = 'GET HTTP://A.example:8080?q HTTP/1.1\r\nHost: a.example:8080\r\n\r\n'
  expect(read(text).refusal).toBeUndefined()
})

/** Text of the kinds of bytes that matter, mixed. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'GET / HTTP/1.1\r\n',
        'Host: a\r\n',
        '\r\n',
        'Content-Length: 3\r\n',
        'Transfer-Encoding: chunked\r\n',
        '3\r\nabc\r\n',
        '0\r\n\r\n',
        'abc',
        'X: y\r\n',
        ' ',
        '\n',
        '\r',
        ';',
        ':',
        '\0',
      ),
      anyText({ maxLength: 8 }),
    ),
    { maxLength: 16 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'))

test('the outcome does not depend on how the bytes are split, and nothing is ever thrown', () => {
  fc.assert(
    fc.property(hostile, fc.array(fc.nat({ max: 200 }), { maxLength: 8 }), (bytes, cuts) => {
      const places = [
        0,
        ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
        bytes.length,
      ]
      const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to))
      expect(readByUs(chunks)).toEqual(readByUs([bytes]))
    }),
    { numRuns: 3000 },
  )
})

test.each(['', '\r\n', '\r\n\r\n'])(
  'requests in one chunk are read the same wherever it is cut, with %j before each',
  (blank) => {
    const second = 'GET http://b.example/second?q HTTP/1.1\r\nX: /third\r\nHost: b.example\r\n\r\n'
    const first = 'POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'
    const connect = 'CONNECT c.example:443 HTTP/1.1\r\nHost: c.example:443\r\n\r\n'
    const bytes = Buffer.from([first, second, first, connect].map((one) => blank + one).join(''))
    const whole = readByUs([bytes])
    expect(whole.requests.map(({ target }) => target)).toEqual([
      '/first',
      'http://b.example/second?q',
      '/first',
      'c.example:443',
    ])
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(readByUs([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole)
    }
  },
)

test('the outcome is the same byte by byte, bounds included', () => {
  const small = { headBytes: 48, headers: 2 }
  fc.assert(
    fc.property(hostile, (bytes) => {
      const single = [...bytes].map((byte) => Buffer.from([byte]))
      expect(readByUs(single, small)).toEqual(readByUs([bytes], small))
    }),
    { numRuns: 2000 },
  )
})
