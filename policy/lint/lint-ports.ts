/**
 * Findings about ports of known workloads: numbers at which none of them listens, and rules about requests at ports where
 * no requests are seen.
 */
import { isHttpAttribute } from '../attribute.ts'
import type { AuthorizationPolicy, Rule } from '../authorization-policy.ts'
import { type Finding, listed, nameOf } from './finding.ts'
import { type KnownWorkload, type Linted, workloadsOf } from './surroundings.ts'
import {
  effectOfNoMatch,
  fieldsOfOperation,
  fieldsOfPolicy,
  fieldsOfRule,
  found,
  placeOfRule,
} from './written-field.ts'

const PORT = 'destination.port'

export function lintPorts(linted: Linted): readonly Finding[] {
  return linted.snapshot.authorizationPolicies.flatMap((policy) => {
    const workloads = workloadsOf(linted, policy)
    return [
      ...absentPorts(policy, workloads),
      ...unaskedOnTcp(linted, policy, workloads),
      ...policy.rules.flatMap((rule, at) => [
        ...onTcpPorts(policy, rule, at, workloads),
        ...deniesEveryTcpPort(policy, rule, at, workloads),
      ]),
    ]
  })
}

function absentPorts(
  policy: AuthorizationPolicy,
  workloads: readonly KnownWorkload[],
): readonly Finding[] {
  return fieldsOfPolicy(policy)
    .filter(({ attribute }) => attribute === PORT)
    .flatMap((field) =>
      field.values.flatMap((value) => {
        const absent = absentPort(Number(value), workloads)
        return absent === undefined
          ? []
          : [
              found(
                field,
                absent.code,
                'error',
                `${absent.what}, so ${value} ${effectOfNoMatch(field)}`,
                absent.instead,
              ),
            ]
      }),
    )
}

/** Undefined when somebody listens there, or when it is not known where all of them listen. */
export function absentPort(
  port: number,
  workloads: readonly KnownWorkload[],
):
  | {
      readonly code: 'port-of-service' | 'port-not-on-workload'
      readonly what: string
      readonly instead: string
    }
  | undefined {
  if (workloads.length === 0) return undefined
  const isThere = ({ ports }: KnownWorkload) =>
    ports === undefined || ports.some((known) => known.port === port)
  if (workloads.some(isThere)) return undefined
  const behind = workloads.map(({ servicePorts }) => servicePorts.get(port)).find(isDefined)
  if (behind !== undefined) {
    return {
      code: 'port-of-service',
      what: `${port} is the port of the Service; the workload listens at ${behind}`,
      instead: `write ${behind}`,
    }
  }
  const open = [...new Set(workloads.flatMap(({ ports = [] }) => ports.map((one) => one.port)))]
  return {
    code: 'port-not-on-workload',
    what: `none of the selected workloads (${listed(workloads.map(nameOf))}) listens at ${port}`,
    instead: `write one of ${listed(open.map(String))}`,
  }
}

const isDefined = (port: number | undefined): port is number => port !== undefined

/** A rule about requests where none are seen: ALLOW loses it, anything else loses its fields. */
function onTcpPorts(
  policy: AuthorizationPolicy,
  rule: Rule,
  at: number,
  workloads: readonly KnownWorkload[],
): readonly Finding[] {
  const http = fieldsOfRule(policy, rule, at).filter(({ attribute }) => isHttpAttribute(attribute))
  const [first] = http
  if (first === undefined) return []
  const reached = tcpPorts(rule, workloads)
  if (reached.length === 0) return []
  const names = listed([...new Set(http.map(({ attribute }) => attribute))])
  const isAllow = policy.action.kind === 'ALLOW'
  return [
    {
      ...placeOfRule(policy, at),
      code: 'request-rule-on-tcp',
      severity: isAllow && namesPorts(rule) ? 'error' : 'warning',
      what: `TCP port ${listed(reached)} has no ${names}: there ${isAllow ? 'the whole rule is left out and admits nobody' : 'the rule is applied without looking at it'}`,
      instead: isAllow
        ? 'write a rule without these fields for the TCP port'
        : 'name the ports that speak HTTP in the rule, and write another for the TCP port',
    },
  ]
}

/** A provider that is asked by HTTP has nothing to be asked about a connection, so what should have asked it passes. */
function unaskedOnTcp(
  { snapshot }: Linted,
  policy: AuthorizationPolicy,
  workloads: readonly KnownWorkload[],
): readonly Finding[] {
  const { action } = policy
  if (action.kind !== 'CUSTOM') return []
  const provider = snapshot.mesh.extensionProviders.find(({ name }) => name === action.provider)
  if (provider?.kind !== 'http') return []
  return policy.rules.flatMap((rule, at): Finding[] => {
    const reached = tcpPorts(rule, workloads)
    if (reached.length === 0) return []
    return [
      {
        ...placeOfRule(policy, at),
        code: 'provider-not-asked-on-tcp',
        severity: 'error',
        what: `the provider ${action.provider} is asked about requests alone: at TCP port ${listed(reached)} nobody asks it, and connections pass`,
        instead: 'use a provider that speaks gRPC, or add a DENY policy for the TCP port',
      },
    ]
  })
}

/** `port of namespace/name`, where the rule may apply and no requests are seen. */
const tcpPorts = (rule: Rule, workloads: readonly KnownWorkload[]): readonly string[] =>
  workloads.flatMap((workload) =>
    (workload.ports ?? []).flatMap(({ port, protocol }) =>
      protocol === 'tcp' && mayReach(rule, port) ? [`${port} of ${nameOf(workload)}`] : [],
    ),
  )

const namesPorts = (rule: Rule): boolean =>
  rule.to.some(({ ports }) => ports.length > 0) ||
  rule.when.some(({ key, values }) => key === PORT && values.length > 0)

/** By what the rule says of ports alone. */
function mayReach(rule: Rule, port: number): boolean {
  const has = (values: readonly string[]) => values.some((value) => Number(value) === port)
  const inTo =
    rule.to.length === 0 ||
    rule.to.some(({ ports, notPorts }) => (ports.length === 0 || has(ports)) && !has(notPorts))
  const inWhen = rule.when
    .filter(({ key }) => key === PORT)
    .every(({ values, notValues }) => (values.length === 0 || has(values)) && !has(notValues))
  return inTo && inWhen
}

/**
 * Without a port beside the fields of requests, a rule that is not ALLOW takes every TCP port; behind a node proxy without
 * layer 7, where a clause with nothing left matches nobody, it does nothing. Known workloads have no such port, or are told above.
 */
function deniesEveryTcpPort(
  policy: AuthorizationPolicy,
  rule: Rule,
  at: number,
  workloads: readonly KnownWorkload[],
): readonly Finding[] {
  const isKnown =
    workloads.length > 0 &&
    workloads.every(({ ports }) => ports?.every(({ protocol }) => protocol !== 'unknown') ?? false)
  if (isKnown || policy.action.kind !== 'DENY') return []
  const place = `spec.rules[${at}]`
  const bare = rule.to.filter((operation) => {
    const fields = fieldsOfOperation(operation, place)
    return fields.every(({ attribute }) => isHttpAttribute(attribute))
  })
  const others = fieldsOfRule(policy, rule, at).filter(
    ({ attribute }) => !isHttpAttribute(attribute),
  )
  const isAll = fieldsOfRule(policy, rule, at).length > 0 && others.length === 0
  if (!isAll && bare.length === 0) return []
  return [
    {
      ...placeOfRule(policy, at),
      code: 'deny-without-l4',
      severity: 'warning',
      what: isAll
        ? 'the rule has fields of requests alone: it denies every connection to a TCP port, and a node proxy that sees no requests leaves it out'
        : 'the operation has fields of requests alone: at a TCP port the rule denies whatever the rest of it matches, and a node proxy that sees no requests leaves it out',
      instead: 'name the ports that speak HTTP beside them',
    },
  ]
}
