/**
 * What is known of the mesh beside its policies. All of it may be missing: a check that needs what is not known finds
 * nothing.
 */
import { selects } from '../attachment.ts'
import type { Attachment, ObjectName } from '../resource.ts'
import type { PolicySnapshot, Workload } from '../snapshot.ts'

/** `http`: its requests are seen; `tcp`: they are not; `unknown`: it is found out for each connection. */
export interface KnownPort {
  readonly port: number
  readonly protocol: 'http' | 'tcp' | 'unknown'
}

export interface KnownWorkload extends Workload {
  /** Undefined when nobody says where it listens. */
  readonly ports: readonly KnownPort[] | undefined
  /** Ports of Services in front of it that are not its own → the port behind. */
  readonly servicePorts: ReadonlyMap<number, number>
}

export interface Surroundings {
  readonly workloads: readonly KnownWorkload[]
  /** All workloads of the mesh are among them: what selects none of them selects nothing. */
  readonly knowsAllWorkloads: boolean
  /** The mesh settings name every extension provider. */
  readonly knowsProviders: boolean
}

export const NOTHING_KNOWN: Surroundings = {
  workloads: [],
  knowsAllWorkloads: false,
  knowsProviders: false,
}

/** What a check looks at. */
export interface Linted {
  readonly snapshot: PolicySnapshot
  readonly surroundings: Surroundings
}

export interface Attachable extends ObjectName {
  readonly attachment: Attachment
}

/** The known workloads that a policy with a selector applies to; none for one with targets. */
export function workloadsOf(
  { snapshot, surroundings }: Linted,
  { namespace, attachment }: Attachable,
): readonly KnownWorkload[] {
  if (attachment.kind !== 'selector') return []
  const isGlobal = namespace === snapshot.mesh.rootNamespace
  return surroundings.workloads.filter(
    (workload) =>
      (isGlobal || workload.namespace === namespace) && selects(attachment.labels, workload.labels),
  )
}

/** May some workload have both? Yes unless namespaces, labels or targets say otherwise. */
export function mayMeet(rootNamespace: string, one: Attachable, other: Attachable): boolean {
  const isApart =
    one.namespace !== other.namespace &&
    one.namespace !== rootNamespace &&
    other.namespace !== rootNamespace
  if (isApart || one.attachment.kind !== other.attachment.kind) return false
  if (one.attachment.kind === 'targets') {
    const others = other.attachment.kind === 'targets' ? other.attachment.targets : []
    return one.attachment.targets.some(({ kind, name }) =>
      others.some((target) => target.kind === kind && target.name === name),
    )
  }
  const labels = other.attachment.kind === 'selector' ? other.attachment.labels : {}
  return Object.entries(one.attachment.labels).every(
    ([key, value]) => labels[key] === undefined || labels[key] === value,
  )
}

/** Does `wide` apply to every workload that `narrow` applies to? */
export function reachesAllOf(rootNamespace: string, wide: Attachable, narrow: Attachable): boolean {
  if (wide.attachment.kind !== 'selector' || narrow.attachment.kind !== 'selector') return false
  return (
    (wide.namespace === rootNamespace || wide.namespace === narrow.namespace) &&
    selects(wide.attachment.labels, narrow.attachment.labels)
  )
}
