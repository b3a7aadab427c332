/**
 * What the lines of a response head mean: its status, how its body is framed, what concerns the upstream connection alone.
 * A response with two framings is refused as a request is: a client could read it in another way than we.
 * @see RFC 9112 §4 status line, §6.3 body length
 */
import { sameText } from '../http/characters.ts'
import { type ConnectionOptions, noOptions, readOptions } from './connection-options.ts'
import { contentLengthOf } from './content-length.ts'
import type { Head, HeadBounds, HeadMeaning, HeadRefusal } from './head.ts'
import { headerValue, isNamed, newHead, SLOTS } from './head.ts'

export interface ResponseFields {
  version: 'HTTP/1.0' | 'HTTP/1.1'
  status: number
  /** -1 when there is none. */
  contentLength: number
  chunked: boolean
  readonly connection: ConnectionOptions
  upgrade: number
  hasHop: boolean
  /** From `Keep-Alive: timeout=5`: how long the server says it keeps the connection; -1 when it says nothing. */
  keepAliveSeconds: number
  grpcStatus: number | undefined
}

export type ResponseBytes = Head<ResponseFields>

const meaning: HeadMeaning<ResponseFields> = {
  blankLinesBefore: false,
  firstLine: readStatusLine,
  header: readHeader,
  complete,
  clear(fields) {
    fields.contentLength = -1
    fields.chunked = false
    fields.upgrade = -1
    fields.hasHop = false
    fields.keepAliveSeconds = -1
    fields.grpcStatus = undefined
    noOptions(fields.connection)
  },
  shift() {}, // none of them is an offset
}

export function newResponseHead(bounds: HeadBounds): ResponseBytes {
  return newHead(meaning, bounds, {
    version: 'HTTP/1.1',
    status: 0,
    contentLength: -1,
    chunked: false,
    connection: { close: false, keepAlive: false, upgrade: false, nominated: [] },
    upgrade: -1,
    hasHop: false,
    keepAliveSeconds: -1,
    grpcStatus: undefined,
  })
}

const bad = (reason: string): HeadRefusal => ({ status: 400, reason })

const STATUS_LINE_START = /^HTTP\/1\.([01]) ([1-9][0-9][0-9])(?:$| )/

function readStatusLine(head: ResponseBytes, from: number, to: number): HeadRefusal | undefined {
  const start = STATUS_LINE_START.exec(head.bytes.toString('latin1', from, Math.min(to, from + 13)))
  if (start === null) return bad('the status line is malformed')
  head.fields.version = start[1] === '0' ? 'HTTP/1.0' : 'HTTP/1.1'
  head.fields.status = Number(start[2])
  return undefined
}

function readHeader(head: ResponseBytes, line: number): HeadRefusal | undefined {
  const { fields, slots } = head
  switch ((slots[line * SLOTS + 1] ?? 0) - (slots[line * SLOTS] ?? 0)) {
    case 7:
      if (isNamed(head, line, 'upgrade')) {
        fields.upgrade = line
        fields.hasHop = true
      }
      return undefined
    case 10:
      if (isNamed(head, line, 'connection')) {
        fields.hasHop = true
        return readOptions(head, line, fields.connection)
      }
      if (isNamed(head, line, 'keep-alive')) readKeepAlive(head, line)
      return undefined
    case 11:
      if (isNamed(head, line, 'grpc-status')) fields.grpcStatus = Number(headerValue(head, line))
      return undefined
    case 14:
      return isNamed(head, line, 'content-length') ? readContentLength(head, line) : undefined
    case 16:
      if (isNamed(head, line, 'proxy-connection')) fields.hasHop = true
      return undefined
    case 17:
      return isNamed(head, line, 'transfer-encoding') ? readTransferEncoding(head, line) : undefined
    default:
      return undefined
  }
}

function readKeepAlive(head: ResponseBytes, line: number): void {
  head.fields.hasHop = true
  const seconds = /(?:^|,)[ \t]*timeout=([0-9]{1,6})/i.exec(headerValue(head, line))?.[1]
  if (seconds !== undefined) head.fields.keepAliveSeconds = Number(seconds)
}

function readContentLength(head: ResponseBytes, line: number): HeadRefusal | undefined {
  if (head.fields.contentLength >= 0) return bad('there is more than one Content-Length header')
  head.fields.contentLength = contentLengthOf(head, line)
  return head.fields.contentLength < 0
    ? bad('the Content-Length is not a number of bytes')
    : undefined
}

function readTransferEncoding(head: ResponseBytes, line: number): HeadRefusal | undefined {
  const { bytes, slots, fields } = head
  if (fields.chunked) return bad('there is more than one Transfer-Encoding header')
  const slot = line * SLOTS
  if (!sameText(bytes, slots[slot + 2] ?? 0, slots[slot + 3] ?? 0, 'chunked')) {
    return bad('the Transfer-Encoding is not exactly chunked')
  }
  fields.chunked = true
  return undefined
}

function complete(head: ResponseBytes): HeadRefusal | undefined {
  const { fields } = head
  if (fields.chunked && fields.contentLength >= 0) {
    return bad('there are both Transfer-Encoding and Content-Length')
  }
  return fields.chunked && fields.version === 'HTTP/1.0'
    ? bad('HTTP/1.0 has no Transfer-Encoding')
    : undefined
}
