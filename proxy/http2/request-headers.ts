/**
 * The header list of an HTTP/2 request as the rest of the proxy sees it, and as it goes on. What nghttp2 lets through and what
 * could still be read in two ways is refused: two hosts, an unknown method, a path outside of ASCII, a name in disguise.
 * @see RFC 9113 §8.3 pseudo headers, §8.2.3 cookie; RFC 9110 §7.2 host
 */
import { CLASS, HOST, TARGET } from '../http/characters.ts'
import type { HeadEdits, HeaderLine, RequestHead } from '../http/exchange.ts'
import { METHODS } from '../http/methods.ts'
import { isReserved } from '../http/reserved-names.ts'

/** Names and values in turn, in the order in which they came. */
export type RawHeaders = readonly string[]

export type ReadRequest =
  | { readonly kind: 'request'; readonly head: RequestHead }
  | { readonly kind: 'refused'; readonly status: 400 | 405; readonly reason: string }

const refused = (reason: string, status: 400 | 405 = 400): ReadRequest => ({
  kind: 'refused',
  status,
  reason,
})

export function readRequest(raw: RawHeaders): ReadRequest {
  const method = METHODS.get(first(raw, ':method') ?? '')
  if (method === undefined) return refused('the method is not a registered one')
  // What is inside would be judged by nobody. HBONE has a port and a reader of its own.
  if (method === 'CONNECT') return refused('CONNECT is not forwarded over HTTP/2', 405)
  const path = first(raw, ':path') ?? ''
  const rooted = path.startsWith('/') || (path === '*' && method === 'OPTIONS')
  if (!rooted || !consistsOf(path, TARGET)) return refused('the :path is malformed')
  const hosts = linesOf(raw, 'host')
  const authority = first(raw, ':authority') ?? hosts[0] ?? ''
  if (authority === '' || !consistsOf(authority, HOST))
    return refused('the :authority is malformed')
  if (hosts.length > 1 || (hosts[0] ?? authority).toLowerCase() !== authority.toLowerCase()) {
    return refused('the host header differs from the :authority')
  }
  const disguised = nameInDisguise(raw)
  if (disguised !== undefined) return refused(`the header ${disguised} could be taken for another`)
  return { kind: 'request', head: viewOf(raw, method, path, authority) }
}

function viewOf(raw: RawHeaders, method: string, path: string, authority: string): RequestHead {
  return {
    version: 'HTTP/2',
    method,
    path,
    authority,
    grpc: isGrpc(raw),
    headerLines(name) {
      if (name === ':authority') return [authority]
      // §8.2.3: a client may send its cookies in pieces, which are one line.
      if (name === 'cookie') {
        const pieces = linesOf(raw, name)
        return pieces.length > 1 ? [pieces.join('; ')] : pieces
      }
      return linesOf(raw, name)
    },
    lines: () => allLines(raw),
  }
}

/** nghttp2 lets no name in upper case through. */
function allLines(raw: RawHeaders): readonly HeaderLine[] {
  const lines: HeaderLine[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    if (!name.startsWith(':')) lines.push([name, textOf(raw[at + 1] ?? '')])
  }
  return lines
}

/** By content type alone, as gRPC says. */
export function isGrpc(raw: RawHeaders): boolean {
  return /^application\/grpc(?:$|[+;])/i.test(first(raw, 'content-type') ?? '')
}

function nameInDisguise(raw: RawHeaders): string | undefined {
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    if (name.includes('_') && isReserved(name.replaceAll('_', '-'))) return name
  }
  return undefined
}

/** The list for the upstream: the host is in `:authority`, edits are applied, all else stays in its order. */
export function forwardedHeaders(
  raw: RawHeaders,
  head: RequestHead,
  edits: HeadEdits | undefined,
): string[] {
  const out = [
    ':method',
    head.method,
    ':path',
    edits?.path ?? head.path,
    ':scheme',
    first(raw, ':scheme') ?? 'http',
    ':authority',
    head.authority,
  ]
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    if (name.startsWith(':') || name === 'host' || edits?.remove.includes(name)) continue
    out.push(name, raw[at + 1] ?? '')
  }
  for (const [name, value] of edits?.add ?? []) {
    // Node writes strings as Latin-1; ours are UTF-8, as in HTTP/1.
    out.push(name, Buffer.from(value).toString('latin1'))
  }
  return out
}

function first(raw: RawHeaders, name: string): string | undefined {
  for (let at = 0; at < raw.length; at += 2) if (raw[at] === name) return raw[at + 1]
  return undefined
}

const NONE: readonly string[] = []

export function linesOf(raw: RawHeaders, name: string): readonly string[] {
  let found: string[] | undefined
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at] !== name) continue
    found ??= []
    found.push(textOf(raw[at + 1] ?? ''))
  }
  return found ?? NONE
}

const NON_ASCII = /[\x80-\xff]/

function textOf(latin1: string): string {
  return NON_ASCII.test(latin1) ? Buffer.from(latin1, 'latin1').toString() : latin1
}

function consistsOf(text: string, wanted: number): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (((CLASS[text.charCodeAt(at)] ?? 0) & wanted) === 0) return false
  }
  return true
}

/** Trailers as Node wants them, which has no list for them: names to lines. */
export function asObject(raw: RawHeaders): Record<string, string[]> {
  const object: Record<string, string[]> = {}
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    object[name] ??= []
    object[name].push(raw[at + 1] ?? '')
  }
  return object
}
