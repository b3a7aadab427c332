/** What `steeple analyze` tells: mistakes that refuse an object and findings in those that are accepted, alike. */
import { type Finding, SEVERITIES, type Severity } from '../../policy/lint/finding.ts'
import { lint } from '../../policy/lint/lint.ts'
import { readWorkloads } from '../../policy/lint/read-workloads.ts'
import type { KnownWorkload, Surroundings } from '../../policy/lint/surroundings.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { PolicyText } from '../../proxy/policy-source/read-policies.ts'
import type { Json } from '../output/go-json.ts'
import { keyOf, type Manifests, type Refusal, readManifests } from './read-manifests.ts'

export interface Told {
  /** `invalid`: the object is refused, and with it what a proxy would read. */
  readonly code: Finding['code'] | 'invalid' | 'selector-without-labels'
  readonly severity: Severity
  /** `file:line`. */
  readonly place: string
  /** E.g. `AuthorizationPolicy shop/cart`; empty when it is not known. */
  readonly object: string
  readonly rule: number | undefined
  readonly field: string
  readonly what: string
  /** Empty where `what` says it. */
  readonly instead: string
}

export interface Report {
  readonly told: readonly Told[]
  readonly policies: number
  readonly workloads: number
}

/** @param config a proxy's, whose workload is then known as well */
export function analyzeTexts(
  texts: readonly PolicyText[],
  mesh: MeshSettings,
  config: ProxyConfig | undefined,
): Report {
  const manifests = readManifests(texts)
  const { authorizationPolicies, peerAuthentications, requestAuthentications } = manifests
  const surroundings = surroundingsOf(manifests, config)
  const findings = lint({
    snapshot: { mesh, authorizationPolicies, peerAuthentications, requestAuthentications },
    surroundings,
  })
  return {
    told: [
      ...manifests.refused.map((one) => faultTold(one, 'invalid', 'error')),
      ...manifests.warned.map((one) => faultTold(one, 'selector-without-labels', 'warning')),
      ...findings.map((one) => findingTold(one, manifests)),
    ],
    policies: manifests.places.size,
    workloads: surroundings.workloads.length,
  }
}

/** Manifests of a cluster name all of its workloads; a proxy's file names its own, and there may be others. */
function surroundingsOf({ others }: Manifests, config: ProxyConfig | undefined): Surroundings {
  const found = readWorkloads(others)
  return {
    workloads: config === undefined ? found : [...found, ...workloadOf(config)],
    knowsAllWorkloads: found.length > 0,
    knowsProviders: config !== undefined,
  }
}

function workloadOf({ workload, inbound, hbone, capture }: ProxyConfig): readonly KnownWorkload[] {
  const { namespace, name, serviceAccount, labels } = workload
  // Without a namespace it is that of the SVID, which only the running proxy knows.
  if (namespace === undefined) return []
  const ports = inbound.flatMap(({ workloadPort: port, protocol }) =>
    port === undefined ? [] : [{ port, protocol: KNOWN_PROTOCOLS[protocol] }],
  )
  // Tunnels and captured connections may be for any port.
  const isOpen = ports.length < inbound.length || hbone !== undefined || capture !== undefined
  return [
    {
      ...{ namespace, name: name ?? 'the configured workload', labels },
      serviceAccount: serviceAccount ?? 'default',
      ports: isOpen || ports.length === 0 ? undefined : ports,
      servicePorts: new Map(),
    },
  ]
}

const KNOWN_PROTOCOLS = { auto: 'unknown', http: 'http', http2: 'http', tcp: 'tcp' } as const

const faultTold = (
  { place, object, field, message }: Refusal,
  code: Told['code'],
  severity: Severity,
): Told => ({ code, severity, place, object, rule: undefined, field, what: message, instead: '' })

function findingTold(finding: Finding, { places }: Manifests): Told {
  const { code, severity, kind, policy, rule, field, what, instead } = finding
  const object = keyOf(kind, policy)
  return { code, severity, place: places.get(object) ?? '', object, rule, field, what, instead }
}

export const countOf = ({ told }: Report, severity: Severity): number =>
  told.filter((one) => one.severity === severity).length

export function reportText(report: Report): string {
  const blocks = report.told.map(({ place, severity, code, object, field, what, instead }) =>
    [
      `${place}: ${severity} ${code}`,
      ...(object === '' && field === ''
        ? []
        : [`  ${[object, field].filter((part) => part !== '').join(', ')}`]),
      `  ${sentence(what)}`,
      ...(instead === '' ? [] : [`  ${sentence(instead)}`]),
      '',
    ].join('\n'),
  )
  const counts = SEVERITIES.map((severity) => counted(countOf(report, severity), WORDS[severity]))
  const seen = `${counted(report.policies, 'policy')} and ${counted(report.workloads, 'workload')}`
  const end =
    report.told.length === 0 ? `Nothing to tell of ${seen}.` : `${counts.join(', ')} in ${seen}.`
  return `${[...blocks, end].join('\n')}\n`
}

const WORDS = { error: 'error', warning: 'warning', info: 'note' } as const

function counted(count: number, word: string): string {
  if (count === 1) return `${count} ${word}`
  return `${count} ${word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`}`
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** Members that do not apply, such as `rule`, are missing; new ones may come. */
export function reportJson(report: Report): Json {
  return {
    findings: report.told.map(({ rule, ...one }) => ({ ...one, rule: rule ?? null })),
    errors: countOf(report, 'error'),
    warnings: countOf(report, 'warning'),
    notes: countOf(report, 'info'),
    policies: report.policies,
    workloads: report.workloads,
  }
}
