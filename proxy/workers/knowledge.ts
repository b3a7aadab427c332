/** What workers judge by, as the thread knows it that holds the streams to the agent and to the source of policies; every change goes to all of them. */
import { IdentityError } from '../../spiffe/error.ts'
import type { OwnWorkload } from '../config/delegated-keys.ts'
import type { ProxyConfig } from '../config.ts'
import type { ProxyIdentity } from '../identity/identity.ts'
import type { Sources } from '../judges.ts'
import type { NodeWorkloads } from '../node-workloads.ts'
import {
  type IdentityState,
  identityKey,
  type Knowledge,
  OWN_IDENTITY,
  type PolicyState,
  type ToWorker,
  workloadKey,
} from './messages.ts'

export interface KnowledgeOptions extends Pick<Sources, 'source' | 'killSwitch'> {
  readonly workloads: Pick<NodeWorkloads, 'all'>
  readonly identities: ReadonlyMap<string, ProxyIdentity>
  /** To all workers that run. */
  tell(message: ToWorker): void
}

export interface FollowedKnowledge extends Disposable {
  /** For a worker that starts. */
  now(): Knowledge
}

/** Disposing ends the telling. */
export function followKnowledge(options: KnowledgeOptions): FollowedKnowledge {
  const { identities, source, killSwitch, workloads, tell } = options
  const policies = (): PolicyState => ({
    ...{ snapshot: source.current(), status: source.status() },
    workloads: new Map(
      workloads.all.map(({ self: { workload } }) => [
        workloadKey(workload),
        source.workloadNow?.(workload) ?? workload,
      ]),
    ),
  })
  const following = [
    source.onChange(() => tell({ kind: 'policies', state: policies() })),
    killSwitch.onChange(() => tell({ kind: 'kill-switch', state: killSwitch.state() })),
    ...[...identities].map(([key, identity]) =>
      identity.onChange(() => tell({ kind: 'identity', key, state: stateOf(identity) })),
    ),
  ]
  return {
    now: () => ({
      identities: new Map([...identities].map(([key, one]) => [key, stateOf(one)] as const)),
      ...{ policies: policies(), killSwitch: killSwitch.state() },
    }),
    [Symbol.dispose]() {
      for (const one of following) one[Symbol.dispose]()
    },
  }
}

function stateOf(identity: ProxyIdentity): IdentityState {
  try {
    return { kind: 'value', context: identity.current() }
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { kind: 'none', code: error.code, message: error.message }
  }
}

/** By the keys that workers ask for. */
export function identitiesByKey(
  own: ProxyIdentity,
  { inbound, outbound }: Pick<ProxyConfig, 'inbound' | 'outbound'>,
  of: (workload: OwnWorkload) => ProxyIdentity,
): ReadonlyMap<string, ProxyIdentity> {
  const all = new Map([[OWN_IDENTITY, own]])
  for (const { ownWorkload } of [...inbound, ...outbound]) {
    if (ownWorkload !== undefined) all.set(identityKey(ownWorkload.selectors), of(ownWorkload))
  }
  return all
}
