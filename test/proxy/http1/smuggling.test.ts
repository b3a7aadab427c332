/** Our parser beside llhttp, on requests made to be misread: we are never the more lenient one, and never find another end. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readByLlhttp, readByUs } from './read-requests.ts'

const headerLine = fc.constantFrom(
  'Host: a',
  'Host: a',
  'Host: a',
  'Host : a',
  'Host: b',
  'Accept: */*',
  ' folded',
  '\tfolded',
  'Content-Length: 5',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 0x5',
  'Content-Length: 05',
  'Content-Length: -1',
  'Content-Length:',
  'Content-Length: 99999999999999999999',
  'content-length : 5',
  'Content_Length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding:\tchunked ',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: \x0bchunked',
  'Transfer-Encoding : chunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: content-length',
  'Expect: 100-continue',
  'X: a\0b',
  'X: \x7f',
  'X: \xe9',
  'X: a\rb',
  'X\0: a',
  ': a',
  'NoColon',
  'X:',
  '',
)
const endOfLine = fc.oneof(
  { weight: 30, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', '\0\r\n', ' \r\n') },
)
const firstLine = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('POST / HTTP/1.1', 'GET /a?b#c HTTP/1.1', 'PUT /x HTTP/1.1'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'GET  / HTTP/1.1',
      'GET / HTTP/1.1 ',
      'GET / HTTP/1.0',
      'GET / HTTP/2.0',
      'GET / HTTP/1.2',
      'GET / http/1.1',
      'GET /',
      'get / HTTP/1.1',
      'FOO / HTTP/1.1',
      'GET /\x01 HTTP/1.1',
      'GET /\xe9 HTTP/1.1',
      'GET /a b HTTP/1.1',
      'GET http://a/x HTTP/1.1',
      'GET http://b/x HTTP/1.1',
      'GET a HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'CONNECT a:1 HTTP/1.1',
      '\tGET / HTTP/1.1',
    ),
  },
)
const body = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: fc.constant('hello') },
  { weight: 4, arbitrary: fc.constant('5\r\nhello\r\n0\r\n\r\n') },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '5;a=b\r\nhello\r\n0\r\n\r\n',
      '5;a="b"\r\nhello\r\n0\r\n\r\n',
      '5 \r\nhello\r\n0\r\n\r\n',
      '5\nhello\r\n0\r\n\r\n',
      '5;\nhello\r\n0\r\n\r\n',
      '5;a\nb\r\nhello\r\n0\r\n\r\n',
      '5\r\nhello\n0\r\n\r\n',
      '5\r\nhello0\r\n\r\n',
      '05\r\nhello\r\n00\r\n\r\n',
      '0x5\r\nhello\r\n0\r\n\r\n',
      '-5\r\nhello\r\n0\r\n\r\n',
      'ffffffffffffffff5\r\nhello\r\n0\r\n\r\n',
      '0\r\nX: y\r\n\r\n',
      '0\r\nContent-Length: 5\r\n\r\n',
      '0\r\n\n',
      '0\r\nX : y\r\n\r\n',
      '0\r\n\rX\r\n\r\n',
      '\r\n5\r\nhello\r\n0\r\n\r\n',
      '5\r\n',
    ),
  },
)

const message = fc
  .tuple(firstLine, fc.array(fc.tuple(headerLine, endOfLine), { maxLength: 5 }), endOfLine, body)
  .map(
    ([first, lines, end, bytes]) =>
      `${first}${end}${lines.map(([line, eol]) => line + eol).join('')}\r\n${bytes}`,
  )

/** One that is often well formed, so that what follows it is looked at too. */
const plain = fc.constantFrom(
  'GET /plain HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /plain HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST /plain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
)

const stream = fc
  .array(fc.oneof(message, plain), { minLength: 1, maxLength: 3 })
  .map((messages) =>
    Buffer.from(`${messages.join('')}GET /last HTTP/1.1\r\nHost: a\r\n\r\n`, 'latin1'),
  )

test('whatever llhttp refuses we refuse, and what both accept begins and ends at the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(stream, async (bytes) => {
      const ours = readByUs([bytes])
      const theirs = await readByLlhttp(bytes)
      const whole = (seen: typeof ours) => seen.requests.filter(({ complete }) => complete).length
      if (theirs.refusal !== undefined) expect(whole(ours)).toBeLessThanOrEqual(whole(theirs))
      // CONNECT and upgrades end HTTP for Node's server.
      const common = ours.requests.slice(0, theirs.requests.length)
      for (const [index, request] of common.entries()) {
        const { complete: _, ...other } = theirs.requests[index] ?? request
        expect(request).toMatchObject(other)
      }
      if (!ours.requests.some(({ method }) => method === 'CONNECT')) {
        expect(ours.requests.length).toBeLessThanOrEqual(theirs.requests.length)
      }
    }),
    { numRuns: 3000 },
  )
}, 60_000)

test('a changed byte anywhere never makes us more lenient than llhttp', async () => {
  const mutated = fc
    .tuple(fc.array(plain, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat({ max: 255 }))
    .map(([messages, position, value]) => {
      const bytes = Buffer.from(messages.join(''))
      bytes[position % bytes.length] = value
      return bytes
    })
  await fc.assert(
    fc.asyncProperty(mutated, async (bytes) => {
      const ours = readByUs([bytes])
      const theirs = await readByLlhttp(bytes)
      for (const [index, request] of ours.requests.entries()) {
        if (!request.complete) continue
        expect(theirs.requests[index]?.method).toBe(request.method)
        expect(theirs.requests[index]?.headers).toEqual(request.headers)
      }
    }),
    { numRuns: 2000 },
  )
}, 60_000)
