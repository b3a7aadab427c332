/**
 * An agent that is there for brokers alone, and asks no kubelet: it knows no pod of its node. Brokers are told of pods by the API
 * server; processes are refused, for nobody could say in which pod they are.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_agent_workloadattestor_k8s.md — disable_kubelet_client
 */
import { IdentityError } from '../../../spiffe/error.ts'
import type { PodSource } from './pod-source.ts'

const WHY = 'kubelet client is disabled'

export function noPods(): PodSource {
  return {
    search: async () => ({ kind: 'gave-up', problem: WHY }),
    async follow() {},
  }
}

/** @throws IdentityError PRECONDITION_FAILED */
export function refuseProcess(): never {
  throw new IdentityError('PRECONDITION_FAILED', WHY)
}
