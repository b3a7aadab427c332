/** The Delegated Identity API of a running agent. Wiring only. */
import type { RunningAgent } from '../agent.ts'
import type { Identities } from '../agent-loops.ts'
import { attestWith } from '../attest/attest.ts'
import { measureFirstSvids } from '../telemetry/meter-agent.ts'
import { delegatesOf } from './delegate.ts'
import type { DelegatedIdentityDeps } from './delegated-identity-service.ts'
import { whyNoneWith } from './why-none.ts'

export function openDelegatedIdentity(
  { config, deps, metrics, attestors, cache, membership, sync }: RunningAgent,
  { source }: Identities,
): DelegatedIdentityDeps {
  const { clock, log } = deps
  const attest = attestWith({ attestors, log: log.child({ component: 'workload_attestor' }) })
  const attestorTypes = attestors.map(({ type }) => type)
  const whyNone = whyNoneWith({ cache, membership, sync, attestorTypes, clock })
  const authorized = new Set(config.authorizedDelegates)
  return {
    ...{ cache, source, whyNone, attest, clock },
    delegates: delegatesOf({ authorized, attest, cache, whyNone }),
    measureFirstSvids: () => measureFirstSvids(metrics),
  }
}
