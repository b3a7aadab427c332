/**
 * What a worker knows of identities, policies and the emergency switch: what it was started with and what it was told since. Fails closed: an
 * identity that was withdrawn is none here either, and what was not told is not there.
 */
import type { Workload } from '../../policy/snapshot.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { createLatest, type Latest } from '../../workload/latest.ts'
import type { X509Context } from '../../workload/x509-context.ts'
import type { KillSwitch, KillSwitchState } from '../enforce/kill-switch.ts'
import type { ProxyIdentity } from '../identity/identity.ts'
import type { Identities } from '../identity/open-identity.ts'
import type { PolicySource } from '../policy-source/policy-source.ts'
import {
  type IdentityState,
  identityKey,
  type Knowledge,
  OWN_IDENTITY,
  type PolicyState,
  workloadKey,
} from './messages.ts'

export interface Mirror {
  readonly identities: Identities
  readonly source: PolicySource
  readonly killSwitch: KillSwitch
  tellIdentity(key: string, state: IdentityState): void
  tellPolicies(state: PolicyState): void
  tellKillSwitch(state: KillSwitchState | undefined): void
}

export function createMirror(knowledge: Knowledge): Mirror {
  const latest = new Map<string, Latest<X509Context>>()
  const tellIdentity = (key: string, state: IdentityState) => {
    const one = latest.get(key) ?? createLatest<X509Context>()
    latest.set(key, one)
    if (state.kind === 'value') one.set(state.context)
    else one.withdraw(new IdentityError(state.code, state.message))
  }
  for (const [key, state] of knowledge.identities) tellIdentity(key, state)
  const policies = changing(knowledge.policies)
  const killSwitch = changing(knowledge.killSwitch)
  return {
    identities: identitiesOf(latest),
    source: {
      current: () => policies.now().snapshot,
      status: () => policies.now().status,
      workloadNow: (workload: Workload) =>
        policies.now().workloads.get(workloadKey(workload)) ?? workload,
      onChange: policies.onChange,
    },
    killSwitch: {
      ...{ state: killSwitch.now, onChange: killSwitch.onChange },
      on: refuseSwitching,
      off: refuseSwitching,
    },
    tellIdentity,
    tellPolicies: policies.set,
    tellKillSwitch: killSwitch.set,
  }
}

/** The switch is thrown in one place, for all workers. */
function refuseSwitching(): never {
  throw new IdentityError('NOT_AUTHORIZED', 'a worker does not throw the emergency switch')
}

function identitiesOf(latest: ReadonlyMap<string, Latest<X509Context>>): Identities {
  const known = (key: string): ProxyIdentity => {
    const one = latest.get(key)
    if (one === undefined) {
      throw new IdentityError('NO_IDENTITY_ISSUED', 'the worker was given no such identity')
    }
    return {
      ...{ current: one.current, onChange: one.onChange },
      async [Symbol.asyncDispose]() {},
    }
  }
  return {
    own: known(OWN_IDENTITY),
    of: async (selectors) => known(identityKey(selectors)),
    async [Symbol.asyncDispose]() {
      for (const one of latest.values()) one.close()
    },
  }
}

function changing<T>(first: T) {
  let value = first
  const listeners = new Set<() => void>()
  return {
    now: () => value,
    set(next: T) {
      value = next
      for (const listener of [...listeners]) listener()
    },
    onChange(listener: () => void): Disposable {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}
