/**
 * What the first bytes of a connection say: TLS, HTTP/1, HTTP/2, or something else. Pure: it is given all that the client
 * has sent so far and either knows or wants more, within a bound.
 *
 * @see Istio PeerAuthentication — telling plaintext from mutual TLS on one port
 */
import { type ClientHello, MAX_CLIENT_HELLO_BYTES, readClientHello } from './client-hello.ts'

export type Sniffed =
  | { readonly kind: 'tls'; readonly hello: ClientHello }
  | { readonly kind: 'http1' }
  | { readonly kind: 'http2' }
  | { readonly kind: 'other' }

export type SniffResult = Sniffed | { readonly kind: 'more' }

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
/** Bytes of a request line that are waited for. */
const MAX_REQUEST_LINE_BYTES = 8 * 1024
/** No peeking goes beyond this. */
const MAX_SNIFFED_BYTES = MAX_CLIENT_HELLO_BYTES + 64 * 5
const HANDSHAKE_RECORD = 0x16
const LF = 0x0a
const CR = 0x0d

/** Empty lines in front of a request that lenient servers skip; some skip any number of them. */
const MAX_LINE_BREAKS = 64

/**
 * What lenient servers split a request line at: RFC 9112 §3 allows VT, FF and a bare CR beside space and tab, and Python's
 * `http.server` takes whatever Unicode calls white space.
 */
const GAP = '[\\t\\v\\f\\r \\x1c-\\x1f\\x85\\xa0]'
const NO_GAP = '[^\\t\\v\\f\\r \\x1c-\\x1f\\x85\\xa0]'
/** Go's servers hand any token on as a method. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]"

// Each of these reads a line once: what is repeated and what follows it have no character in common.
const METHOD_SO_FAR = new RegExp(`^${GAP}*(?:${TOKEN}+${GAP}*)?$`)
const METHOD = new RegExp(`^${GAP}*${TOKEN}+${GAP}+`)
const TARGET = /^[/*hH]/
const VERSION = new RegExp(`${GAP}HTTP/`, 'i')
/** HTTP/0.9 has no version. */
const OLD_LINE = new RegExp(`^${GAP}*[A-Za-z]+${GAP}+/${NO_GAP}*${GAP}*$`)

/** @param bytes everything that the client has sent so far; more than the bound is `other` */
export function sniff(bytes: Buffer): SniffResult {
  if (bytes.length === 0) return { kind: 'more' }
  if (bytes[0] === HANDSHAKE_RECORD) {
    const read = readClientHello(bytes)
    if (read.kind === 'hello') return { kind: 'tls', hello: read.hello }
    return read.kind === 'more' && bytes.length < MAX_SNIFFED_BYTES ? read : { kind: 'other' }
  }
  return sniffPlaintext(bytes)
}

/**
 * As `sniff`, where TLS cannot be: inside a connection that is encrypted already. Whatever a lenient server might take for
 * HTTP/1 is called so, even if it is wrong: the strict parser then refuses it, where as mere TCP it would pass unread.
 */
export function sniffPlaintext(bytes: Buffer): Exclude<SniffResult, { kind: 'tls' }> {
  const start = skipLineBreaks(bytes)
  const shared = Math.min(bytes.length - start, PREFACE.length)
  // Fails closed: nothing but HTTP begins with so many empty lines, and the parser refuses them.
  if (start > MAX_LINE_BREAKS) return { kind: 'http1' }
  if (shared === 0) return { kind: 'more' }
  if (start === 0 && PREFACE.compare(bytes, 0, shared, 0, shared) === 0) {
    return { kind: shared === PREFACE.length ? 'http2' : 'more' }
  }
  const end = bytes.indexOf(LF, start)
  const isLong = (end === -1 ? bytes.length : end) - start >= MAX_REQUEST_LINE_BYTES
  if (end !== -1 && !isLong) {
    const line = bytes.toString('latin1', start, end)
    return { kind: isRequestLine(line) ? 'http1' : 'other' }
  }
  const begun = bytes.toString('latin1', start, start + MAX_REQUEST_LINE_BYTES)
  if (METHOD_SO_FAR.test(begun)) return { kind: isLong ? 'other' : 'more' }
  const method = METHOD.exec(begun)
  if (method === null) return { kind: 'other' }
  if (VERSION.test(begun)) return { kind: 'http1' }
  // Whatever the target looks like, the version may still come: sent in pieces, a line is judged as it is in one piece.
  if (!isLong) return { kind: 'more' }
  return { kind: TARGET.test(begun.slice(method[0].length)) ? 'http1' : 'other' }
}

const isRequestLine = (line: string): boolean =>
  (METHOD.test(line) && VERSION.test(line)) || OLD_LINE.test(line)

function skipLineBreaks(bytes: Buffer): number {
  let at = 0
  while (at < bytes.length && at <= MAX_LINE_BREAKS && (bytes[at] === CR || bytes[at] === LF)) {
    at += 1
  }
  return at
}
