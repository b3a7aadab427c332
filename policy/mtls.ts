/**
 * Which of the PeerAuthentications decides, and what it decides for a port. The answer does not depend on the order in
 * which policies are seen.
 */

import { selects } from './attachment.ts'
import type { PeerAuthentication } from './peer-authentication.ts'
import type { ObjectName } from './resource.ts'
import type { Workload } from './snapshot.ts'

/** `DISABLE` hands bytes to the application, `PERMISSIVE` takes both, `STRICT` takes mutual TLS alone. */
export type MtlsMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT'

export interface MtlsRequirement {
  readonly mode: MtlsMode
  /** By the workload's port; what is not listed has `mode`. */
  readonly perPort: ReadonlyMap<number, MtlsMode>
  /** The policies that won their level, and those that lost it to an older one. */
  readonly sources: readonly ObjectName[]
  readonly overruled: readonly ObjectName[]
}

/** What the workload's policies ask for, or the mesh's default of `PERMISSIVE`. */
export function composePeerAuthentication(
  rootNamespace: string,
  policies: readonly PeerAuthentication[],
  workload: Pick<Workload, 'namespace' | 'labels'>,
): MtlsRequirement {
  const levels = [
    // A selector in the root namespace is not supported and selects nothing.
    policies.filter((policy) => policy.namespace === rootNamespace && isWide(policy)),
    policies.filter(
      (policy) =>
        policy.namespace === workload.namespace &&
        policy.namespace !== rootNamespace &&
        isWide(policy),
    ),
    policies.filter(
      (policy) =>
        policy.namespace === workload.namespace &&
        policy.namespace !== rootNamespace &&
        !isWide(policy) &&
        selects(policy.labels, workload.labels),
    ),
  ].map((level) => [...level].sort(olderFirst))
  const winners = levels.map(([oldest]) => oldest)
  const mode = winners.reduce<MtlsMode>(
    (inherited, policy) =>
      policy === undefined || policy.mode === 'UNSET' ? inherited : policy.mode,
    'PERMISSIVE',
  )
  const ports = winners[2]?.portModes ?? new Map()
  return {
    mode,
    perPort: new Map([...ports].map(([port, own]) => [port, own === 'UNSET' ? mode : own])),
    sources: winners.filter((policy) => policy !== undefined).map(nameOf),
    overruled: levels.flatMap(([, ...younger]) => younger).map(nameOf),
  }
}

/** `port` is the one on which the connection was really accepted. */
export function portMode(requirement: MtlsRequirement, port: number): MtlsMode {
  return requirement.perPort.get(port) ?? requirement.mode
}

const isWide = (policy: PeerAuthentication): boolean => Object.keys(policy.labels).length === 0

const nameOf = ({ namespace, name }: ObjectName): ObjectName => ({ namespace, name })

/** By time, then by name, then by namespace: two policies of one moment must not take turns. */
export function olderFirst(one: PeerAuthentication, other: PeerAuthentication): number {
  return (
    (one.createdMs ?? 0) - (other.createdMs ?? 0) ||
    compareText(one.name, other.name) ||
    compareText(one.namespace, other.namespace)
  )
}

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
