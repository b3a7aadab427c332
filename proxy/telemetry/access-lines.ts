/**
 * The lines of the access log: who, what, and which policy and rule decided. Queries of paths stay out, for they may carry
 * tokens; a denial also goes to the process's own log.
 */
import { ruleId } from '../../policy/rule-set.ts'
import type { Deny, Verdict } from '../../policy/verdict.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Direction } from '../enforce/connections.ts'
import type { ExchangeRecord } from '../http/exchange.ts'
import { EXT_AUTHZ_DENIED } from '../http/local-answer.ts'
import type { Incoming } from '../listen/incoming.ts'
import type { ProxyContext } from '../proxy.ts'
import type { AccessFields, ConnectionFlag, OnlyAccessFields } from './access-fields.ts'
import type { AccessLine, AccessLog } from './access-log.ts'
import { countDryRun, dryRunFields } from './dry-run.ts'

export interface ConnectionEnd {
  readonly incoming: Incoming
  readonly verdict: Verdict | undefined
  readonly flags: ConnectionFlag
  readonly reason: string | undefined
  readonly carried: { readonly received: number; readonly sent: number }
  readonly upstream: string
}

/** In ztunnel's words, with the rule where there is one. */
export function denialReason({ why, by }: Deny): string {
  const rule = by === undefined ? '' : ` of ${ruleId(by)}`
  switch (why) {
    case 'no-allow-matched':
      return 'allow policies exist, but none allowed'
    case 'deny-rule':
      return by === undefined ? 'denied by policy' : `explicitly denied by: ${ruleId(by)}`
    case 'provider-unasked':
      return `the provider${rule} has not agreed`
    case 'provider-missing':
      return `the provider${rule} is not configured`
    default:
      return why satisfies never
  }
}

export function connectionLine(context: ProxyContext, end: ConnectionEnd): void {
  const { accessLog, clock, metrics } = context
  const { incoming, verdict, flags, reason } = end
  if (verdict !== undefined) countDryRun(metrics, verdict)
  if (flags === 'DENY') warn(context, 'Connection denied', { ...whoFields(incoming), reason })
  else if (flags !== '-') {
    const { upstream } = end
    warn(context, 'Connection failed', { ...whoFields(incoming), upstream, reason })
  }
  if (!accessLog.isOn) return
  const now = clock.now()
  writeLine(accessLog, {
    time: now.toISOString(),
    kind: 'connection',
    ...whoFields(incoming),
    ...verdictFields(verdict),
    ...{ upstream: end.upstream, response_flags: flags, reason },
    ...{ bytes_received: end.carried.received, bytes_sent: end.carried.sent },
    duration_ms: now.getTime() - incoming.openedAt.getTime(),
  })
}

/** A connection that came to nothing before anybody was known: refused by the gate or in the handshake. */
export function refusalLine(
  context: ProxyContext,
  where: AccessFields & Readonly<Record<'listener' | 'source' | 'destination', string>>,
  error: unknown,
  flags: ConnectionFlag = 'TLS_FAILURE',
  direction: Direction = 'inbound',
): void {
  const reason = error instanceof Error ? error.message : String(error)
  const code = error instanceof IdentityError ? error.code : undefined
  warn(context, 'Connection refused', { ...where, reason, code })
  const { accessLog, clock } = context
  if (!accessLog.isOn) return
  const time = clock.now().toISOString()
  const what = { kind: 'connection', direction, response_flags: flags }
  writeLine(accessLog, { time, ...what, ...where, reason, code })
}

export function requestLine(
  context: ProxyContext,
  incoming: Incoming,
  record: ExchangeRecord,
  upstream: string,
): void {
  const { accessLog, metrics } = context
  const { head, judgement, status, details } = record
  const verdict = judgement?.verdict
  if (verdict !== undefined) countDryRun(metrics, verdict)
  if (verdict?.kind === 'deny') {
    const rule = verdict.by === undefined ? undefined : ruleId(verdict.by)
    const request = { method: head?.method, path: pathWithoutQuery(head?.path), rule }
    const reason = denialReason(verdict)
    warn(context, 'Request denied', { ...whoFields(incoming), ...request, reason })
  }
  if (!accessLog.isOn) return
  writeLine(accessLog, {
    time: record.startedAt.toISOString(),
    kind: 'request',
    ...whoFields(incoming),
    ...{ method: head?.method, path: pathWithoutQuery(head?.path), host: head?.authority },
    ...{ protocol: head?.version, status, grpc_status: record.grpcStatus },
    request_id: requestIdOf(record),
    traceparent: headerOf(record, 'traceparent'),
    ...verdictFields(verdict),
    // Who was asked and refused is not to be looked for where nobody could be asked.
    ...(details === EXT_AUTHZ_DENIED ? { why: 'provider-refused' } : {}),
    ...{ upstream, response_flags: record.flags.join(',') || '-', reason: details },
    ...{ bytes_received: record.bytesReceived, bytes_sent: record.bytesSent },
    duration_ms: Math.round(record.durationMs * 1000) / 1000,
  })
}

export function requestIdOf(record: ExchangeRecord): string | undefined {
  return headerOf(record, 'x-request-id')
}

/** The one that the request was given on its way up, else the client's. */
function headerOf({ head, judgement }: ExchangeRecord, wanted: string): string | undefined {
  const edits = judgement?.kind === 'forward' ? judgement.edits : undefined
  const given = edits?.add.find(([name]) => name === wanted)
  return given?.[1] ?? head?.headerLines(wanted)[0]
}

function writeLine<Line extends AccessLine>(log: AccessLog, line: OnlyAccessFields<Line>): void {
  log.write(line)
}

/** A line about a caller that did not get through. */
function warn({ log, logLimit }: ProxyContext, message: string, fields: AccessLine): void {
  const omitted = logLimit.next()
  if (omitted === undefined) return
  log.warn(omitted === 0 ? fields : { ...fields, lines_omitted: omitted }, message)
}

function whoFields({ direction, listener, source, destination, facts, parties }: Incoming) {
  return {
    ...{ direction, listener, source, destination },
    source_identity: parties.source.id,
    destination_identity: parties.destination.id,
    source_ip: facts.sourceIp,
    remote_ip: facts.remoteIp,
    destination_ip: facts.destinationIp,
    workload_port: facts.destinationPort,
    mutual_tls: parties.isMutualTls,
    sni: facts.sni,
  } satisfies AccessLine
}

function verdictFields(verdict: Verdict | undefined): AccessFields {
  if (verdict === undefined) return {}
  const { kind, why, by, audited } = verdict
  return {
    verdict: kind,
    why,
    policy: by === undefined ? undefined : `${by.namespace}/${by.policy}`,
    rule: by?.rule,
    audited: audited.length === 0 ? undefined : audited.map(ruleId).join(','),
    ...dryRunFields(verdict),
  }
}

export function pathWithoutQuery(path: string | undefined): string | undefined {
  return path?.replace(/[?#].*$/s, '')
}
