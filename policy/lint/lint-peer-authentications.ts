/** Findings about PeerAuthentications: which of them decides nothing, and which port it means. */

import { olderFirst } from '../mtls.ts'
import type { PeerAuthentication } from '../peer-authentication.ts'
import { type Finding, nameOf, placeIn } from './finding.ts'
import { absentPort } from './lint-ports.ts'
import { type KnownWorkload, type Linted, workloadsOf } from './surroundings.ts'

export function lintPeerAuthentications(linted: Linted): readonly Finding[] {
  const { mesh, peerAuthentications } = linted.snapshot
  const isIgnored = (policy: PeerAuthentication) =>
    policy.namespace === mesh.rootNamespace && !isWide(policy)
  const heard = peerAuthentications.filter((policy) => !isIgnored(policy))
  // Only those of one namespace are on one level; a cluster may have very many of them.
  const byNamespace = Map.groupBy(heard, ({ namespace }) => namespace)
  return [
    ...peerAuthentications.filter(isIgnored).map(rootSelector),
    ...heard.flatMap((policy) => [
      ...overruled(linted, policy, byNamespace.get(policy.namespace) ?? []),
      ...empty(policy),
      ...ports(policy, selected(linted, policy)),
    ]),
  ]
}

const isWide = ({ labels }: PeerAuthentication): boolean => Object.keys(labels).length === 0

const selected = (linted: Linted, policy: PeerAuthentication): readonly KnownWorkload[] =>
  workloadsOf(linted, { ...policy, attachment: { kind: 'selector', labels: policy.labels } })

function rootSelector(policy: PeerAuthentication): Finding {
  return {
    ...placeIn('PeerAuthentication', policy, 'spec.selector'),
    code: 'peer-authentication-root-selector',
    severity: 'error',
    what: 'a selector in the root namespace selects nothing here, so the policy is ignored',
    instead:
      'write it into the namespace of the workload, or remove the selector for the whole mesh',
  }
}

/** On one level only the oldest is heard, ports included. */
function overruled(
  linted: Linted,
  policy: PeerAuthentication,
  all: readonly PeerAuthentication[],
): readonly Finding[] {
  const [winner] = all
    .filter((other) => other !== policy && olderFirst(other, policy) < 0)
    .filter((other) => isSameLevel(linted, other, policy))
    .sort(olderFirst)
  if (winner === undefined) return []
  const isByTime = winner.createdMs !== policy.createdMs
  return [
    {
      ...placeIn('PeerAuthentication', policy),
      code: 'peer-authentication-overruled',
      severity: 'error',
      what: `it loses to ${nameOf(winner)}, which is ${isByTime ? 'older' : 'as old and first by name'} and applies to the same workloads; the two are not merged, ports included`,
      instead: `put what both say into ${nameOf(winner)} and delete this one`,
    },
  ]
}

function isSameLevel(linted: Linted, one: PeerAuthentication, other: PeerAuthentication): boolean {
  if (one.namespace !== other.namespace || isWide(one) !== isWide(other)) return false
  if (isWide(one)) return true
  const within = (inner: PeerAuthentication, outer: PeerAuthentication) =>
    Object.entries(outer.labels).every(([key, value]) => inner.labels[key] === value)
  if (within(one, other) || within(other, one)) return true
  const both = new Set(selected(linted, one))
  return selected(linted, other).some((workload) => both.has(workload))
}

function empty(policy: PeerAuthentication): readonly Finding[] {
  if (policy.mode !== 'UNSET' || policy.portModes.size > 0) return []
  return [
    {
      ...placeIn('PeerAuthentication', policy, 'spec.mtls.mode'),
      code: 'peer-authentication-empty',
      severity: 'warning',
      what: 'it sets no mode, so it changes nothing, but younger ones on its level lose to it',
      instead: 'write the mode STRICT, PERMISSIVE or DISABLE, or delete it',
    },
  ]
}

function ports(
  policy: PeerAuthentication,
  workloads: readonly KnownWorkload[],
): readonly Finding[] {
  return [...policy.portModes.keys()].flatMap((port): Finding[] => {
    const absent = absentPort(port, workloads)
    if (absent === undefined) return []
    return [
      {
        ...placeIn('PeerAuthentication', policy, `spec.portLevelMtls.${port}`),
        code: absent.code,
        severity: 'error',
        what: `${absent.what}, so the mode of ${port} is that of no connection`,
        instead: absent.instead,
      },
    ]
  })
}
