/**
 * Who still calls without mutual TLS, port by port, and what STRICT would break. A proxy remembers since its start alone,
 * which is told with every port that nobody has called.
 */
import { z } from 'zod'
import type { Json } from '../output/go-json.ts'
import type { ProxyAnswer } from './ask-proxy.ts'

const time = z.iso.datetime()
const port = z.number().int()

/** What a proxy says at `/plaintext-callers`. */
export const callersForm = z.object({
  workload: z.object({ namespace: z.string(), name: z.string() }),
  since: time,
  /** The kill switch is on. */
  is_killed: z.boolean(),
  ports: z.array(z.object({ port, mode: z.string() })),
  forgotten: z.number(),
  callers: z.array(
    z.object({
      port,
      mode: z.string(),
      source_ip: z.string(),
      connections: z.number(),
      /** Older proxies do not count them. */
      refused: z.number().default(0),
      first_seen: time,
      last_seen: time,
    }),
  ),
})

export type Callers = z.infer<typeof callersForm>

export interface PortReport {
  readonly port: number
  /** While the kill switch is on PERMISSIVE, or EMERGENCY where the listener is strict. */
  readonly mode: string
  /** The last one to call first. */
  readonly callers: readonly Callers['callers'][number][]
}

export interface WorkloadReport {
  readonly proxy: string
  /** `namespace/name`. */
  readonly workload: string
  readonly since: string
  /** The kill switch is on: modes are not those of policies. */
  readonly isKilled: boolean
  /** Callers that were seen and are no longer remembered. */
  readonly forgotten: number
  readonly ports: readonly PortReport[]
}

export function workloadReport(proxy: string, told: Callers): WorkloadReport {
  const { workload, since, is_killed: isKilled, forgotten, ports, callers } = told
  const modes = new Map([...callers, ...ports].map(({ port: number, mode }) => [number, mode]))
  return {
    ...{ proxy, workload: `${workload.namespace}/${workload.name}`, since, isKilled, forgotten },
    ports: [...modes]
      .map(([number, mode]) => ({
        port: number,
        mode,
        callers: callers
          .filter((one) => one.port === number)
          .toSorted((one, other) => (one.last_seen < other.last_seen ? 1 : -1)),
      }))
      .toSorted((one, other) => one.port - other.port),
  }
}

/** A port that is STRICT already refuses them as it is. */
const isAtRisk = ({ mode, callers }: PortReport): boolean => mode !== 'STRICT' && callers.length > 0

/** Would STRICT everywhere refuse somebody who was seen? */
export const breaksSomebody = ({ ports, forgotten }: WorkloadReport): boolean =>
  ports.some(isAtRisk) || forgotten > 0

/** Callers of one port that are listed; all are counted. */
const MAX_LISTED = 20

export function reportText(report: WorkloadReport): string {
  const { proxy, workload, since, isKilled, forgotten, ports } = report
  const lines = ports.flatMap((one) => {
    const listed = one.callers.slice(0, MAX_LISTED)
    const more = one.callers.length - listed.length
    return [
      `  port ${one.port}, ${one.mode}: ${portText(one, since)}`,
      ...listed.map(
        ({ source_ip, connections, refused, first_seen, last_seen }) =>
          `    ${source_ip}  ${callsText(connections, refused)}, first ${first_seen}, last ${last_seen}`,
      ),
      ...(more > 0 ? [`    and ${more} more`] : []),
    ]
  })
  const lost =
    forgotten > 0 ? [`  ${forgotten} more callers were seen and are no longer remembered`] : []
  const killed = isKilled ? ['  the kill switch is on: modes are not those of policies'] : []
  const none = ports.length === 0 ? ['  takes no connections for the workload'] : []
  return `${[`${workload} (${proxy})`, ...killed, ...none, ...lines, ...lost].join('\n')}\n`
}

function callsText(connections: number, refused: number): string {
  if (connections === 0) return `${refused} refused`
  const letIn = `${connections} ${connections === 1 ? 'connection' : 'connections'}`
  return refused === 0 ? letIn : `${letIn} and ${refused} refused`
}

function portText(report: PortReport, since: string): string {
  const count = report.callers.length
  if (count === 0)
    return `nobody has called in plaintext since ${since}; STRICT would break nobody seen`
  const who = count === 1 ? '1 caller' : `${count} callers`
  if (isAtRisk(report)) return `STRICT would break ${who}`
  const isTried = report.callers.some(({ refused }) => refused > 0)
  return `${who} in plaintext${isTried ? '' : ' before it was STRICT'}, refused now`
}

export function reportJson(answers: readonly ProxyAnswer<Callers>[]): Json {
  return {
    proxies: answers.map((one): Json => {
      if (one.kind === 'failed') return { proxy: one.proxy, failed: one.why }
      const { isKilled, ...report } = workloadReport(one.proxy, one.answer)
      const ports = report.ports.map((each) => ({ ...each, strict_breaks: isAtRisk(each) }))
      return {
        ...report,
        ports,
        is_killed: isKilled,
        strict_breaks: report.ports.some(isAtRisk) || report.forgotten > 0,
      }
    }),
  }
}
