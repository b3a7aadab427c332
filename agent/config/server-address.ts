/**
 * `server_address`: where the servers of the trust domain are. SPIRE's form is one address or name; several are
 * separated by commas, each with a port of its own if it is not `server_port`. A name with several records stands
 * for several servers as well.
 */
import { isIPv6 } from 'node:net'
import type { ConfigNode } from '../../config/tree.ts'
import { host, type Parsed, port, type Value, value } from '../../config/value.ts'
import type { HostPort } from '../node/server-directory.ts'

export interface WrittenServer {
  readonly host: string
  /** Undefined: `server_port`. */
  readonly port: number | undefined
}

/** As many servers as one trust domain has, and more. */
const MAX_SERVERS = 32
/** An address in brackets, or one or a name without a colon; then perhaps a port. */
const WITH_PORT = /^(?<host>\[[^\]]*\]|[^:]*):(?<port>\d+)$/

/** At least one. */
export function serverAddresses(): Value<readonly WrittenServer[]> {
  const expected = `an IP address or a DNS name, or up to ${MAX_SERVERS} of them with commas between, each perhaps with its port`
  return value((node) => {
    const alone = host().parse(node)
    if (alone.kind === 'value') {
      return { kind: 'value', value: [{ host: alone.value, port: undefined }] }
    }
    if (node.kind !== 'string' || alone.kind === 'unset') return alone
    return parseAll(node, alone)
  }, expected)
}

/** @param refusal what is said of a list of one that is none */
function parseAll(
  node: ConfigNode & { readonly kind: 'string' },
  refusal: Parsed<never>,
): Parsed<readonly WrittenServer[]> {
  const parts = node.value.split(',').map((part) => part.trim())
  if (parts.length > MAX_SERVERS) {
    return { kind: 'wrong', message: `names ${parts.length} servers` }
  }
  const servers: WrittenServer[] = []
  const seen = new Set<string>()
  for (const part of parts) {
    const server = parseOne(part, node)
    if (server === undefined) {
      if (parts.length === 1) return refusal
      return { kind: 'wrong', message: `has the item ${JSON.stringify(part)}` }
    }
    const key = `${server.host} ${server.port}`
    if (seen.has(key)) return { kind: 'wrong', message: `names ${part} twice` }
    seen.add(key)
    servers.push(server)
  }
  return { kind: 'value', value: servers }
}

function parseOne(
  part: string,
  node: ConfigNode & { readonly kind: 'string' },
): WrittenServer | undefined {
  const read = <T>(rule: Value<T>, text: string): T | undefined => {
    const parsed = rule.parse({ ...node, value: text })
    return parsed.kind === 'value' ? parsed.value : undefined
  }
  const bare = read(host(), part)
  if (bare !== undefined) return { host: bare, port: undefined }
  const { host: name = '', port: number = '' } = WITH_PORT.exec(part)?.groups ?? {}
  const found = { host: read(host(), name), port: read(port(), number) }
  if (found.host === undefined || found.port === undefined) return undefined
  // IPv6 with a port needs its brackets: without, nobody could tell where the address ends.
  if (isIPv6(found.host) !== name.startsWith('[')) return undefined
  return { host: found.host, port: found.port }
}

/** The first server, and the others, in the form of the configuration. */
export function serversOf(
  written: readonly WrittenServer[],
  serverPort: number,
): {
  readonly serverAddress: string
  readonly serverPort: number
  readonly otherServers: readonly HostPort[]
} {
  const [first, ...others] = written.map((one) => ({
    host: one.host,
    port: one.port ?? serverPort,
  }))
  if (first === undefined) throw new Error('server_address without a server')
  return { serverAddress: first.host, serverPort: first.port, otherServers: others }
}
