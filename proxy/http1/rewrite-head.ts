/**
 * A head on its way on: lines that concern one connection alone are left out, edits applied, all other bytes copied as they came.
 * A head without either is not rewritten at all.
 * @see RFC 9110 §7.6.1 — an intermediary removes Connection and what it names
 */
import type { HeadEdits, HeaderLine } from '../http/exchange.ts'
import { type Head, headerValue, isNamed, SLOTS } from './head.ts'
import type { RequestBytes } from './request-head.ts'
import type { ResponseBytes } from './response-head.ts'

const CRLF_BYTES = 2

/** HTTP under any of its names and versions, in a list of protocols: its requests would be judged by nobody. */
const HTTP_AGAIN = /(?:^|,)[ \t]*(?:h2c?|http)[ \t]*(?:\/[^,]*)?(?:,|$)/i

/** Does this request, sent on, ask the upstream for another protocol? One that is HTTP again is not passed on. */
export function isUpgrading(head: RequestBytes): boolean {
  const { fields } = head
  return (
    fields.upgrade >= 0 &&
    fields.connection.upgrade &&
    fields.version === 'HTTP/1.1' &&
    !HTTP_AGAIN.test(headerValue(head, fields.upgrade))
  )
}

export function mustRewriteRequest(
  { fields }: RequestBytes,
  edits: HeadEdits | undefined,
): boolean {
  return edits !== undefined || fields.hasHop || isAbsolute(fields)
}

const isAbsolute = ({ method, pathStart, targetStart }: RequestBytes['fields']) =>
  pathStart !== targetStart && method !== 'CONNECT'

/** @param edits that passed `areWritable` */
export function rewriteRequest(
  head: RequestBytes,
  edits: HeadEdits | undefined,
  upgrading: boolean,
): Buffer {
  const { fields } = head
  const added = edits === undefined ? '' : textOfLines(edits.add)
  const connection = upgrading ? 'connection: upgrade\r\n' : ''
  const line = firstLine(head, edits?.path)
  const remove = edits?.remove ?? []
  const keep = (index: number) =>
    !(fields.hasHop && isHop(head, index, upgrading)) && !isOneOf(head, index, remove)
  return assemble(head, line, keep, `${connection}${added}`)
}

/** Undefined when the request line may stay as it is. */
function firstLine(head: RequestBytes, path: string | undefined): string | undefined {
  const { method, version, pathStart, targetEnd } = head.fields
  if (path === undefined && !isAbsolute(head.fields)) return undefined
  const sent = path ?? head.bytes.toString('latin1', pathStart, targetEnd)
  const target = sent.startsWith('/') || sent === '*' ? sent : `/${sent}`
  return `${method} ${target} ${version}\r\n`
}

function isHop(head: RequestBytes, line: number, upgrading: boolean): boolean {
  const { connection, upgrade } = head.fields
  if (line === upgrade) return !upgrading
  return (
    isConnectionLine(head, line) ||
    isNamed(head, line, 'http2-settings') ||
    (isNamed(head, line, 'te') && headerValue(head, line).toLowerCase() !== 'trailers') ||
    isOneOf(head, line, connection.nominated)
  )
}

function isConnectionLine<Fields>(head: Head<Fields>, line: number): boolean {
  return (
    isNamed(head, line, 'connection') ||
    isNamed(head, line, 'keep-alive') ||
    isNamed(head, line, 'proxy-connection')
  )
}

function isOneOf<Fields>(head: Head<Fields>, line: number, names: readonly string[]): boolean {
  for (const name of names) if (isNamed(head, line, name)) return true
  return false
}

/** @param close tells the client that its connection ends with this response */
export function rewriteResponse(head: ResponseBytes, close: boolean): Buffer {
  const { connection, upgrade } = head.fields
  const keep = (line: number) =>
    line !== upgrade && !isConnectionLine(head, line) && !isOneOf(head, line, connection.nominated)
  return assemble(head, undefined, keep, close ? 'connection: close\r\n' : '')
}

function textOfLines(lines: readonly HeaderLine[]): string {
  let text = ''
  for (const [name, value] of lines) text += `${name}: ${value}\r\n`
  return text
}

/** Copies the lines that stay, in stretches as long as they get. */
function assemble<Fields>(
  head: Head<Fields>,
  line: string | undefined,
  keep: (line: number) => boolean,
  added: string,
): Buffer {
  const { bytes, start, firstHeader, blank, slots } = head
  const addedBytes = Buffer.byteLength(added)
  const room = (line?.length ?? 0) + (blank - start) + addedBytes + CRLF_BYTES
  const out = Buffer.allocUnsafe(room)
  let at = line === undefined ? 0 : out.write(line, 0, 'latin1')
  let from = line === undefined ? start : firstHeader
  for (let index = 0; index < head.lines; index += 1) {
    if (keep(index)) continue
    at += bytes.copy(out, at, from, slots[index * SLOTS])
    from = index + 1 < head.lines ? (slots[(index + 1) * SLOTS] as number) : blank
  }
  at += bytes.copy(out, at, from, blank)
  if (addedBytes > 0) at += out.write(added, at, 'utf8')
  out[at] = 0x0d
  out[at + 1] = 0x0a
  return out.subarray(0, at + CRLF_BYTES)
}
