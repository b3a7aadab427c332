/** A request head as the rest of the proxy sees it: text is made from the bytes when somebody asks, and for nothing else. */
import type { HeaderLine, RequestHead } from '../http/exchange.ts'
import { headerName, headerValue, isNamed } from './head.ts'
import type { RequestBytes } from './request-head.ts'

const NONE: readonly string[] = []

/** One view for all requests of a connection: it always shows what `head` holds now. */
export function requestView(head: RequestBytes): RequestHead {
  const { fields } = head
  return {
    get version() {
      return fields.version
    },
    get method() {
      return fields.method
    },
    get path() {
      return pathOf(head)
    },
    get authority() {
      return fields.host < 0 ? '' : headerValue(head, fields.host)
    },
    get grpc() {
      return fields.grpc
    },
    headerLines: (name) => headerLines(head, name),
    lines: () => allLines(head),
  }
}

function pathOf({ bytes, fields }: RequestBytes): string {
  if (fields.method === 'CONNECT') return ''
  const path = bytes.toString('latin1', fields.pathStart, fields.targetEnd)
  // The absolute form without a path, or with a query alone. RFC 9112 §3.2.1
  return path.startsWith('/') || path === '*' ? path : `/${path}`
}

function headerLines(head: RequestBytes, name: string): readonly string[] {
  if (name.startsWith(':')) return pseudoHeader(head, name)
  // Rules are to see what the workload will, and what Connection names goes no further than here.
  if (head.fields.connection.nominated.includes(name)) return NONE
  let found: string[] | undefined
  for (let line = 0; line < head.lines; line += 1) {
    if (!isNamed(head, line, name)) continue
    found ??= []
    found.push(headerValue(head, line))
  }
  return found ?? NONE
}

function allLines(head: RequestBytes): readonly HeaderLine[] {
  const { nominated } = head.fields.connection
  const lines: HeaderLine[] = []
  for (let line = 0; line < head.lines; line += 1) {
    const name = headerName(head, line).toLowerCase()
    if (!nominated.includes(name)) lines.push([name, headerValue(head, line)])
  }
  return lines
}

function pseudoHeader(head: RequestBytes, name: string): readonly string[] {
  switch (name) {
    case ':method':
      return [head.fields.method]
    case ':path':
      return head.fields.method === 'CONNECT' ? NONE : [pathOf(head)]
    case ':authority':
      return head.fields.host < 0 ? NONE : [headerValue(head, head.fields.host)]
    default:
      return NONE
  }
}
