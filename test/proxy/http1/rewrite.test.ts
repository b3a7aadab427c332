/** Which lines of a head go on, and what stands in place of the others. */
import { expect, test } from 'vitest'
import type { HeadEdits } from '../../../proxy/http/exchange.ts'
import { readHead } from '../../../proxy/http1/read-head.ts'
import { newRequestHead } from '../../../proxy/http1/request-head.ts'
import { requestView } from '../../../proxy/http1/request-view.ts'
import { newResponseHead } from '../../../proxy/http1/response-head.ts'
import {
  isUpgrading,
  mustRewriteRequest,
  rewriteRequest,
  rewriteResponse,
} from '../../../proxy/http1/rewrite-head.ts'
import { BOUNDS } from './read-requests.ts'

const headOf = (text: string) => {
  const head = newRequestHead(BOUNDS)
  expect(readHead(head, Buffer.from(text, 'latin1'), 0)).toBe(text.length)
  return head
}

const rewritten = (text: string, edits?: HeadEdits) => {
  const head = headOf(text)
  return mustRewriteRequest(head, edits)
    ? rewriteRequest(head, edits, isUpgrading(head)).toString('latin1')
    : 'as it came'
}

const request = (...lines: string[]) => `GET /a HTTP/1.1\r\n${[...lines, '', ''].join('\r\n')}`

test.for([
  ['nothing that concerns the connection', ['Host: a', 'X: y', 'TE: trailers'], undefined],
  ['keep-alive', ['Host: a', 'Connection: keep-alive', 'X: y'], ['Host: a', 'X: y']],
  ['what Connection names', ['Connection: x, close', 'X: 1', 'Host: a', 'x: 2'], ['Host: a']],
  [
    'Keep-Alive and Proxy-Connection',
    ['Keep-Alive: 5', 'Proxy-Connection: a', 'Host: a'],
    ['Host: a'],
  ],
  ['TE other than trailers', ['TE: gzip', 'Host: a'], ['Host: a']],
  ['an Upgrade without Connection', ['Upgrade: x', 'Host: a'], ['Host: a']],
  [
    'h2c and its settings',
    ['Host: a', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: x'],
    ['Host: a'],
  ],
  ...['h2c/2', 'websocket, H2C', 'HTTP/2.0'].map(
    (name) =>
      [
        `an upgrade to ${name}`,
        ['Host: a', 'Connection: Upgrade', `Upgrade: ${name}`],
        ['Host: a'],
      ] as const,
  ),
  [
    'an upgrade',
    ['Host: a', 'Connection: keep-alive, Upgrade', 'Upgrade: websocket'],
    ['Host: a', 'Upgrade: websocket', 'connection: upgrade'],
  ],
] as const)('a request with %s', ([, lines, expected]) => {
  expect(rewritten(request(...lines))).toBe(
    expected === undefined ? 'as it came' : request(...expected),
  )
})

test('edits drop every line of a name, add theirs at the end, and leave the others as they came', () => {
  const edits: HeadEdits = {
    path: '/b?q',
    remove: ['x-user'],
    add: [
      ['x-user', 'é'],
      ['y', ''],
    ],
  }
  const sent = request('X-User: forged', 'Host:  a', 'x-USER: again', 'Z: z ')
  const added = Buffer.from('x-user: é').toString('latin1')
  expect(rewritten(sent, edits)).toBe(
    `GET /b?q HTTP/1.1\r\nHost:  a\r\nZ: z \r\n${added}\r\ny: \r\n\r\n`,
  )
})

test.for([
  ['GET http://a/x?y HTTP/1.1\r\nHost: A\r\n\r\n', '/x?y'],
  ['GET http://a HTTP/1.1\r\nHost: a\r\n\r\n', '/'],
  ['GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n', '/?y'],
] as const)('the absolute form %j goes on as the path that was judged', ([sent, path]) => {
  expect(requestView(headOf(sent)).path).toBe(path)
  expect(rewritten(sent)).toContain(`GET ${path} HTTP/1.1\r\n`)
})

test('headers are found by name in any case, line by line, pseudo headers included', () => {
  const view = requestView(headOf(request('Host: a:80', 'X: 1, 2', 'x: 3')))
  expect(view.headerLines('x')).toEqual(['1, 2', '3'])
  expect(view.headerLines('missing')).toEqual([])
  expect(view.headerLines(':method')).toEqual(['GET'])
  expect(view.headerLines(':path')).toEqual(['/a'])
  expect(view.headerLines(':authority')).toEqual(['a:80'])
})

test('a header that Connection names is there for nobody, as it goes no further', () => {
  const sent = request('Host: a', 'Connection: close, X-Role', 'X-Role: admin', 'Y: 1')
  const view = requestView(headOf(sent))
  expect(view.headerLines('x-role')).toEqual([])
  expect(view.lines().map(([name]) => name)).not.toContain('x-role')
  expect(rewritten(sent)).not.toContain('admin')
  expect(view.headerLines('y')).toEqual(['1'])
})

test('a response loses what concerned its own connection, and says when the client’s ends', () => {
  const head = newResponseHead(BOUNDS)
  const lines = ['Connection: keep-alive, X', 'Keep-Alive: timeout=5', 'A: b', 'X: y', 'B: c']
  readHead(head, Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`), 0)
  expect(head.fields.keepAliveSeconds).toBe(5)
  expect(rewriteResponse(head, false).toString()).toBe('HTTP/1.1 200 OK\r\nA: b\r\nB: c\r\n\r\n')
  expect(rewriteResponse(head, true).toString()).toContain('B: c\r\nconnection: close\r\n\r\n')
})
