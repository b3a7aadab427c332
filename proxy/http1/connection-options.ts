/**
 * The options of a `Connection` header: what concerns this connection, and which other lines go no further than here.
 * @see RFC 9110 §7.6.1
 */
import { sameText, textOf } from '../http/characters.ts'
import { isReserved } from '../http/reserved-names.ts'
import { type Head, type HeadRefusal, SLOTS } from './head.ts'

export interface ConnectionOptions {
  close: boolean
  keepAlive: boolean
  upgrade: boolean
  /** Other names, in lower case: lines to be dropped. */
  nominated: readonly string[]
}

const NONE: readonly string[] = []
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Always there or always gone, whatever Connection says of them. */
const HANDLED_ELSEWHERE = new Set(['te', 'host', 'http2-settings', 'proxy-connection'])

export function noOptions(options: ConnectionOptions): void {
  options.close = false
  options.keepAlive = false
  options.upgrade = false
  options.nominated = NONE
}

/** Adds those of one line. Refused: a malformed list, and naming a header that carries framing, routing or trust. */
export function readOptions<Fields>(
  head: Head<Fields>,
  line: number,
  options: ConnectionOptions,
): HeadRefusal | undefined {
  const from = head.slots[line * SLOTS + 2] ?? 0
  const to = head.slots[line * SLOTS + 3] ?? 0
  if (sameText(head.bytes, from, to, 'keep-alive')) {
    options.keepAlive = true
    return undefined
  }
  for (const item of textOf(head.bytes, from, to).split(',')) {
    const name = withoutPadding(item).toLowerCase()
    if (name === '') continue
    if (!TOKEN.test(name)) return { status: 400, reason: 'the Connection header is malformed' }
    if (name === 'close') options.close = true
    else if (name === 'keep-alive') options.keepAlive = true
    else if (name === 'upgrade') options.upgrade = true
    else if (HANDLED_ELSEWHERE.has(name)) continue
    else if (isReserved(name) || isReserved(name.replaceAll('_', '-'))) {
      return { status: 400, reason: `the Connection header names ${name}, which must go on` }
    } else options.nominated = [...options.nominated, name]
  }
  return undefined
}

const isPadding = (code: number): boolean => code === 0x20 || code === 0x09

/** Without spaces and tabs around it. By hand: an expression that ends in `$` looks anew from each of the spaces inside. */
function withoutPadding(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isPadding(text.charCodeAt(from))) from += 1
  while (to > from && isPadding(text.charCodeAt(to - 1))) to -= 1
  return text.slice(from, to)
}
