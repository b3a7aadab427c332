/**
 * Every field of a line of the access log, and how a connection may have ended. docs/watching-the-proxy.md tells what each means,
 * which a test compares; a field that is not here does not compile where lines are written.
 */
import type { AccessLine } from './access-log.ts'

export const ACCESS_FIELDS = [
  ...['time', 'kind', 'direction', 'listener', 'source', 'destination'],
  ...['source_identity', 'destination_identity', 'source_ip', 'remote_ip', 'destination_ip'],
  ...['workload_port', 'mutual_tls', 'sni'],
  ...['method', 'path', 'host', 'protocol', 'status', 'grpc_status', 'request_id', 'traceparent'],
  ...['verdict', 'why', 'policy', 'rule', 'audited'],
  ...['dry_run_deny', 'dry_run_deny_rule', 'dry_run_allow', 'dry_run_allow_rule'],
  ...['upstream', 'response_flags', 'reason', 'code'],
  ...['bytes_received', 'bytes_sent', 'duration_ms'],
] as const

export type AccessField = (typeof ACCESS_FIELDS)[number]

/** Those of a line that one part of the proxy knows. */
export type AccessFields = Readonly<Partial<Record<AccessField, AccessLine[string]>>>

/** No other fields than those, spread or not. */
export type OnlyAccessFields<Line> = Line &
  Readonly<Record<Exclude<keyof Line, AccessField>, never>>

/** How a connection ended, in ztunnel's words as far as it has them; `-`: well, or by whoever left. */
export const CONNECTION_FLAGS = ['-', 'DENY', 'CONNECT', 'IDENTITY_ERROR', 'TLS_FAILURE'] as const

export type ConnectionFlag = (typeof CONNECTION_FLAGS)[number]
