/** All targets by name. A thread loads the group of its own target alone. */
import type { FuzzTarget } from './target.ts'

type Group = () => Promise<{ readonly targets: readonly FuzzTarget[] }>

const GROUPS: Readonly<Record<string, Group>> = {
  name: () => import('./targets/name.ts'),
  der: () => import('./targets/der.ts'),
  document: () => import('./targets/document.ts'),
  config: () => import('./targets/config.ts'),
  proc: () => import('./targets/proc.ts'),
  wire: () => import('./targets/wire.ts'),
  policy: () => import('./targets/policy.ts'),
  agent: () => import('./targets/agent.ts'),
  backup: () => import('./targets/backup.ts'),
  rpc: () => import('./targets/rpc.ts'),
}

export interface KnownTarget {
  readonly name: string
  readonly oracle: string
  readonly share: number
}

export async function listTargets(): Promise<readonly KnownTarget[]> {
  const groups = await Promise.all(Object.values(GROUPS).map((load) => load()))
  return groups.flatMap(({ targets }) => targets)
}

/** Targets of one group load the same sources. */
export const groupOf = (target: string): string => target.split('-', 1)[0] ?? ''

/** @param name its group comes first, as in `der-certificate` */
export async function findTarget(name: string): Promise<FuzzTarget> {
  const group = GROUPS[groupOf(name)]
  const target = (await group?.())?.targets.find((one) => one.name === name)
  if (target === undefined) throw new Error(`no target ${name}`)
  return target
}
