/**
 * What the lines of a request head mean: how its body is framed, where it goes, what concerns this connection alone.
 * Refused is whatever could be read differently behind us: two framings, two hosts, an unknown method, a name that an application
 * would read as one that we judge.
 * @see RFC 9112 §3 request line, §6 body length; RFC 9110 §7.6.1 Connection
 */
import { CLASS, HOST, sameText, TARGET } from '../http/characters.ts'
import { METHODS } from '../http/methods.ts'
import { isReserved } from '../http/reserved-names.ts'
import { type ConnectionOptions, noOptions, readOptions } from './connection-options.ts'
import { contentLengthOf } from './content-length.ts'
import type { Head, HeadBounds, HeadMeaning, HeadRefusal } from './head.ts'
import { hasUnderscore, headerValue, isNamed, newHead, SLOTS } from './head.ts'

export interface RequestFields {
  method: string
  version: 'HTTP/1.0' | 'HTTP/1.1'
  /** Where the target starts and ends, as sent. */
  targetStart: number
  targetEnd: number
  /** Where its path starts; differs from `targetStart` in the absolute form only. */
  pathStart: number
  /** Position of the Host line, or -1. */
  host: number
  /** -1 when there is none. */
  contentLength: number
  chunked: boolean
  readonly connection: ConnectionOptions
  /** Position of the Upgrade line, or -1. */
  upgrade: number
  /** Some line concerns this connection alone and must not go on. */
  hasHop: boolean
  grpc: boolean
}

export type RequestBytes = Head<RequestFields>

const meaning: HeadMeaning<RequestFields> = {
  blankLinesBefore: true,
  firstLine: readRequestLine,
  header: readHeader,
  complete,
  clear(fields) {
    fields.host = -1
    fields.contentLength = -1
    fields.chunked = false
    fields.upgrade = -1
    fields.hasHop = false
    fields.grpc = false
    noOptions(fields.connection)
  },
  shift(fields, by) {
    fields.targetStart -= by
    fields.targetEnd -= by
    fields.pathStart -= by
  },
}

export function newRequestHead(bounds: HeadBounds): RequestBytes {
  const connection = { close: false, keepAlive: false, upgrade: false, nominated: [] }
  return newHead(meaning, bounds, {
    method: '',
    version: 'HTTP/1.1',
    targetStart: 0,
    targetEnd: 0,
    pathStart: 0,
    host: -1,
    contentLength: -1,
    chunked: false,
    connection,
    upgrade: -1,
    hasHop: false,
    grpc: false,
  })
}

const bad = (reason: string): HeadRefusal => ({ status: 400, reason })

const SPACE = 0x20
const SLASH = 0x2f

function readRequestLine(head: RequestBytes, from: number, to: number): HeadRefusal | undefined {
  const { bytes, fields } = head
  const methodEnd = bytes.indexOf(SPACE, from)
  if (methodEnd < 0 || methodEnd >= to) return bad('the request line has no target')
  const method = METHODS.get(bytes.toString('latin1', from, Math.min(methodEnd, from + 32)))
  if (method === undefined) return bad('the method is not a registered one')
  fields.method = method
  let at = methodEnd + 1
  fields.targetStart = at
  while (at < to && ((CLASS[bytes[at] as number] as number) & TARGET) !== 0) at += 1
  if (at === fields.targetStart) return bad('the request line has no target')
  // RFC 9112 §3: HTTP/0.9 has no version; we refuse it as llhttp does.
  if (at === to) return bad('the request line has no version')
  if (bytes[at] !== SPACE) return bad('the target has a byte that must be percent-encoded')
  fields.targetEnd = at
  const version = bytes.toString('latin1', at + 1, Math.min(to, at + 32))
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    if (!/^HTTP\/[0-9]\.[0-9]$/.test(version)) return bad('the version is malformed')
    return { status: 505, reason: `${version} is not spoken here, expected HTTP/1.1` }
  }
  fields.version = version
  return readTarget(head)
}

/** RFC 9112 §3.2: origin form, absolute form, `*` for OPTIONS, authority form for CONNECT. */
function readTarget(head: RequestBytes): HeadRefusal | undefined {
  const { bytes, fields } = head
  const { targetStart, targetEnd, method } = fields
  fields.pathStart = targetStart
  if (method === 'CONNECT') {
    const valid = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/
    const target = bytes.toString('latin1', targetStart, targetEnd)
    if (!valid.test(target)) return bad('the target of CONNECT must be host:port')
    fields.pathStart = targetEnd
    return undefined
  }
  if (bytes[targetStart] === SLASH) return undefined
  if (targetEnd - targetStart === 1 && bytes[targetStart] === 0x2a) {
    return method === 'OPTIONS' ? undefined : bad('the target * is for OPTIONS alone')
  }
  const target = bytes.toString('latin1', targetStart, targetEnd)
  const authority = /^https?:\/\/([^/?#]+)/i.exec(target)
  if (authority === null) return bad('the target must begin with / or http://')
  fields.pathStart = targetStart + authority[0].length
  return undefined
}

function readHeader(head: RequestBytes, line: number): HeadRefusal | undefined {
  const slot = line * SLOTS
  const start = head.slots[slot] as number
  const end = head.slots[slot + 1] as number
  if (hasUnderscore(head)) {
    const name = head.bytes.toString('latin1', start, end).toLowerCase()
    if (isReserved(name.replaceAll('_', '-'))) {
      return bad(`the header ${name} could be taken for ${name.replaceAll('_', '-')}`)
    }
    return undefined
  }
  switch (end - start) {
    case 2:
      // `te: trailers` may go on, since trailers do.
      if (isNamed(head, line, 'te') && headerValue(head, line).toLowerCase() !== 'trailers') {
        head.fields.hasHop = true
      }
      return undefined
    case 4:
      return isNamed(head, line, 'host') ? readHost(head, line) : undefined
    case 7:
      return isNamed(head, line, 'upgrade') ? readUpgrade(head, line) : undefined
    case 10:
      if (isNamed(head, line, 'connection')) {
        head.fields.hasHop = true
        return readOptions(head, line, head.fields.connection)
      }
      if (isNamed(head, line, 'keep-alive')) head.fields.hasHop = true
      return undefined
    case 12:
      if (isNamed(head, line, 'content-type')) head.fields.grpc = isGrpc(head, line)
      return undefined
    case 14:
      if (isNamed(head, line, 'http2-settings')) head.fields.hasHop = true
      return isNamed(head, line, 'content-length') ? readContentLength(head, line) : undefined
    case 16:
      if (isNamed(head, line, 'proxy-connection')) head.fields.hasHop = true
      return undefined
    case 17:
      return isNamed(head, line, 'transfer-encoding') ? readTransferEncoding(head, line) : undefined
    default:
      return undefined
  }
}

function readHost(head: RequestBytes, line: number): HeadRefusal | undefined {
  if (head.fields.host >= 0) return bad('there is more than one Host header')
  const { bytes, slots } = head
  const end = slots[line * SLOTS + 3] as number
  for (let at = slots[line * SLOTS + 2] as number; at < end; at += 1) {
    if (((CLASS[bytes[at] as number] as number) & HOST) === 0)
      return bad('the Host header is malformed')
  }
  head.fields.host = line
  return undefined
}

function readUpgrade(head: RequestBytes, line: number): HeadRefusal | undefined {
  if (head.fields.upgrade >= 0) return bad('there is more than one Upgrade header')
  head.fields.upgrade = line
  head.fields.hasHop = true
  return undefined
}

function readContentLength(head: RequestBytes, line: number): HeadRefusal | undefined {
  if (head.fields.contentLength >= 0) return bad('there is more than one Content-Length header')
  head.fields.contentLength = contentLengthOf(head, line)
  return head.fields.contentLength < 0
    ? bad('the Content-Length is not a number of bytes')
    : undefined
}

function readTransferEncoding(head: RequestBytes, line: number): HeadRefusal | undefined {
  const { bytes, slots, fields } = head
  if (fields.chunked) return bad('there is more than one Transfer-Encoding header')
  const slot = line * SLOTS
  if (!sameText(bytes, slots[slot + 2] ?? 0, slots[slot + 3] ?? 0, 'chunked')) {
    return { status: 501, reason: 'the Transfer-Encoding is not exactly chunked' }
  }
  fields.chunked = true
  return undefined
}

function isGrpc(head: RequestBytes, line: number): boolean {
  const value = headerValue(head, line)
  return /^application\/grpc(?:$|[+;])/i.test(value)
}

/** What only the whole head shows; no framing is chosen when there are two, the request is refused. */
function complete(head: RequestBytes): HeadRefusal | undefined {
  const { fields } = head
  if (fields.chunked && fields.contentLength >= 0) {
    return bad('there are both Transfer-Encoding and Content-Length')
  }
  if (fields.chunked && fields.version === 'HTTP/1.0')
    return bad('HTTP/1.0 has no Transfer-Encoding')
  if (fields.host < 0) {
    return fields.version === 'HTTP/1.0' ? undefined : bad('there is no Host header')
  }
  const host = headerValue(head, fields.host)
  if (host === '') return bad('the Host header is empty')
  const authority = targetAuthority(head)
  if (authority !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    return bad('the target names another host than the Host header')
  }
  return undefined
}

/** Of the absolute form and of CONNECT. */
function targetAuthority(head: RequestBytes): string | undefined {
  const { targetStart, targetEnd, pathStart, method } = head.fields
  if (pathStart === targetStart) return undefined
  const text = head.bytes.toString('latin1', targetStart, pathStart === 0 ? targetEnd : pathStart)
  return method === 'CONNECT' ? text : text.slice(text.indexOf('//') + 2)
}
