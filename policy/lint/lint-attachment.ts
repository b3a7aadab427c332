/** Findings about what a policy is attached to, and whom it asks. */
import type { AuthorizationPolicy } from '../authorization-policy.ts'
import { type Finding, listed, type PolicyKind, placeIn, quoted } from './finding.ts'
import { type Attachable, type Linted, workloadsOf } from './surroundings.ts'

export function lintAttachment(linted: Linted): readonly Finding[] {
  const { authorizationPolicies, peerAuthentications, requestAuthentications } = linted.snapshot
  const root = linted.snapshot.mesh.rootNamespace
  // In the root namespace a selector selects nothing, which is another finding.
  const peers = peerAuthentications
    .filter(({ namespace, labels }) => namespace !== root || Object.keys(labels).length === 0)
    .map(({ namespace, name, labels }) => ({
      ...{ namespace, name },
      attachment: { kind: 'selector', labels } as const,
    }))
  return [
    ...authorizationPolicies.flatMap((policy) => [
      ...attached(linted, 'AuthorizationPolicy', policy, policy.action.kind !== 'ALLOW'),
      ...missingProvider(linted, policy),
    ]),
    ...peers.flatMap((policy) => attached(linted, 'PeerAuthentication', policy, true)),
    ...requestAuthentications.flatMap((policy) =>
      attached(linted, 'RequestAuthentication', policy, true),
    ),
  ]
}

/** `restricts`: without the policy more is possible. */
function attached(
  linted: Linted,
  kind: PolicyKind,
  policy: Attachable,
  restricts: boolean,
): readonly Finding[] {
  const { attachment } = policy
  if (attachment.kind === 'targets') {
    const names = attachment.targets.map((target) => `${target.kind} ${target.name}`)
    return [
      {
        ...placeIn(kind, policy, 'spec.targetRefs'),
        code: 'targets-not-here',
        severity: restricts ? 'error' : 'warning',
        what: `a policy for ${listed(names)} is for the waypoint or gateway of that name; a proxy in front of a workload ignores it`,
        instead: 'select the workload by spec.selector where it is to be enforced in front of it',
      },
    ]
  }
  if (!linted.surroundings.knowsAllWorkloads || workloadsOf(linted, policy).length > 0) return []
  const labels = Object.entries(attachment.labels).map(([key, value]) => `${key}: ${value}`)
  const near = nearest(linted, policy)
  return [
    {
      ...placeIn(
        kind,
        policy,
        labels.length === 0 ? 'metadata.namespace' : 'spec.selector.matchLabels',
      ),
      code: 'selects-nothing',
      severity: 'warning',
      what:
        labels.length === 0
          ? `there is no workload in the namespace ${quoted(policy.namespace)}`
          : `no workload of the namespace ${quoted(policy.namespace)} has ${listed(labels)}`,
      instead: near ?? 'write the namespace and the labels that the workload has',
    },
  ]
}

/** Where the same labels are, if anywhere. */
function nearest({ surroundings }: Linted, { attachment }: Attachable): string | undefined {
  if (attachment.kind !== 'selector' || Object.keys(attachment.labels).length === 0)
    return undefined
  const elsewhere = surroundings.workloads.find(({ labels }) =>
    Object.entries(attachment.labels).every(([key, value]) => labels[key] === value),
  )
  return (
    elsewhere && `write it into the namespace ${quoted(elsewhere.namespace)}, where they are found`
  )
}

function missingProvider(
  { snapshot, surroundings }: Linted,
  policy: AuthorizationPolicy,
): readonly Finding[] {
  const { action } = policy
  if (action.kind !== 'CUSTOM' || !surroundings.knowsProviders) return []
  const known = snapshot.mesh.extensionProviders.map(({ name }) => name)
  if (known.includes(action.provider)) return []
  return [
    {
      ...placeIn('AuthorizationPolicy', policy, 'spec.provider.name'),
      code: 'provider-missing',
      severity: 'error',
      what: `the mesh has no provider ${quoted(action.provider)}, so whatever the rules match is denied`,
      instead:
        known.length === 0
          ? 'add the provider to the settings of the mesh'
          : `write one of ${listed(known)}, or add the provider to the settings of the mesh`,
    },
  ]
}
