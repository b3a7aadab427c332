/** What the reports of all workers come to: as one proxy would tell it. Pure. */
import type { IssuerStatus } from '../policy-source/issuer-keys.ts'
import type { PlaintextCaller } from '../telemetry/plaintext-callers.ts'
import type { TrafficReport } from '../telemetry/traffic-report.ts'
import { mergeMetrics } from './merge-metrics.ts'

/** Callers in plaintext of all workers together. */
const MAX_CALLERS = 1_000

/** What one worker has counted stays true when it has ended; what was open is open no more. */
export function afterItsEnd(report: TrafficReport): TrafficReport {
  return { ...report, total: 0, connections: [], issuers: [] }
}

export function mergeReports(reports: readonly TrafficReport[]): TrafficReport {
  const sum = (of: (report: TrafficReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0)
  const callers = mergeCallers(reports.flatMap(({ plaintext }) => plaintext))
  const lost = callers.slice(MAX_CALLERS).filter(({ connections }) => connections > 0).length
  return {
    total: sum(({ total }) => total),
    connections: reports.flatMap(({ connections }) => connections),
    plaintext: callers.slice(0, MAX_CALLERS),
    forgotten: sum(({ forgotten }) => forgotten) + lost,
    issuers: mergeIssuers(reports.flatMap(({ issuers }) => issuers)),
    dropped: sum(({ dropped }) => dropped),
    metrics: mergeMetrics(reports.map(({ metrics }) => metrics)),
  }
}

/** Who has called last comes first. */
function mergeCallers(all: readonly PlaintextCaller[]): readonly PlaintextCaller[] {
  const callers = new Map<string, PlaintextCaller>()
  for (const one of all) {
    const key = `${one.port} ${one.sourceIp}`
    const known = callers.get(key)
    callers.set(key, known === undefined ? one : together(known, one))
  }
  return [...callers.values()].sort((a, b) => b.lastSeen.getTime() - a.lastSeen.getTime())
}

function together(one: PlaintextCaller, other: PlaintextCaller): PlaintextCaller {
  return {
    ...{ port: one.port, sourceIp: one.sourceIp },
    connections: one.connections + other.connections,
    refused: one.refused + other.refused,
    firstSeen: earlier(one.firstSeen, other.firstSeen),
    lastSeen: later(one.lastSeen, other.lastSeen),
  }
}

const earlier = (one: Date, other: Date) => new Date(Math.min(one.getTime(), other.getTime()))
const later = (one: Date, other: Date) => new Date(Math.max(one.getTime(), other.getTime()))

/** Of each issuer what the worker says that has the oldest keys: the others are no worse. */
function mergeIssuers(all: readonly IssuerStatus[]): readonly IssuerStatus[] {
  const issuers = new Map<string, IssuerStatus>()
  for (const one of all) {
    const known = issuers.get(one.source)
    const isOlder = (one.fetchedAt?.getTime() ?? 0) < (known?.fetchedAt?.getTime() ?? 0)
    if (known === undefined || isOlder) issuers.set(one.source, one)
  }
  return [...issuers.values()]
}
