/**
 * Findings about callers that no port asks who they are: under DISABLE bytes are handed to the application as they come, so
 * every field about the caller's identity finds none.
 */
import type { AuthorizationPolicy } from '../authorization-policy.ts'
import { composePeerAuthentication } from '../mtls.ts'
import { type Finding, nameOf } from './finding.ts'
import { type Linted, workloadsOf } from './surroundings.ts'
import { effectOfNoMatch, fieldsOfPolicy, found } from './written-field.ts'

const IDENTITY = /^source\.(principal|namespace|serviceAccount|trustDomain)$/

export function lintDisabledMtls(linted: Linted): readonly Finding[] {
  return linted.snapshot.authorizationPolicies.flatMap((policy) => {
    const [first] = fieldsOfPolicy(policy).filter(({ attribute }) => IDENTITY.test(attribute))
    const by = first && disabledBy(linted, policy)
    if (first === undefined || by === undefined) return []
    const effect = first.negated
      ? 'the negation holds for everybody'
      : `the field ${effectOfNoMatch(first)}`
    return [
      found(
        first,
        'identity-never-known',
        'error',
        `${by} sets mutual TLS to DISABLE, so no caller of these workloads has an identity, and ${effect}`,
        'set the mode to PERMISSIVE or STRICT, or write ipBlocks',
      ),
    ]
  })
}

/** Who disables mutual TLS at every port that the policy reaches; undefined in doubt. */
function disabledBy(linted: Linted, policy: AuthorizationPolicy): string | undefined {
  const { namespace, attachment } = policy
  const { mesh, peerAuthentications } = linted.snapshot
  if (attachment.kind !== 'selector') return undefined
  const known = workloadsOf(linted, policy)
  // Of a policy for the whole mesh nobody knows whom it reaches unless the workloads are known.
  if (known.length === 0 && namespace === mesh.rootNamespace) return undefined
  const reached = known.length > 0 ? known : [{ namespace, labels: attachment.labels }]
  const required = reached.map((workload) =>
    composePeerAuthentication(mesh.rootNamespace, peerAuthentications, workload),
  )
  const isDisabled = required.every(
    ({ mode, perPort }) =>
      mode === 'DISABLE' && [...perPort.values()].every((own) => own === 'DISABLE'),
  )
  const source = required[0]?.sources.at(-1)
  return isDisabled && source !== undefined ? nameOf(source) : undefined
}
