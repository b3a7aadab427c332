/** The node attestors that take attestations: join tokens always, the others as the configuration has them. */
import { openCluster } from '../../kubernetes/open-cluster.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import type { NodeAttestorConfig } from '../config.ts'
import { JOIN_TOKEN, type JoinTokenDeps, joinTokenAttestor } from './join-token.ts'
import { k8sPsatAttestor } from './k8s-psat.ts'
import type { NodeAttestor } from './node-attestor.ts'
import { type X509PopDeps, x509PopAttestor } from './x509pop.ts'

export type AttestorDeps = JoinTokenDeps & X509PopDeps

/** By the type that agents name. */
export function configuredAttestors(
  configs: readonly NodeAttestorConfig[],
  deps: AttestorDeps,
): ReadonlyMap<string, NodeAttestor> {
  const attestors = configs.map((config) => open(config, deps))
  return new Map([
    // SPIRE demands its block; a token that was given out here is taken here without one.
    [JOIN_TOKEN, joinTokenAttestor(deps)],
    ...attestors.map((attestor) => [attestor.type, attestor] as const),
  ])
}

function open(config: NodeAttestorConfig, deps: AttestorDeps): NodeAttestor {
  switch (config.kind) {
    case 'join_token':
      return joinTokenAttestor(deps)
    case 'k8s_psat':
      return k8sPsatAttestor(config, { trustDomain: deps.trustDomain, openCluster })
    case 'x509pop': {
      const { trust, ...options } = config
      if (trust.mode === 'spiffe') return x509PopAttestor({ ...options, trust }, deps)
      const authorities = fromPem('CERTIFICATE', trust.caBundle).map((der) => ({
        der,
        tainted: false,
      }))
      return x509PopAttestor({ ...options, trust: { mode: trust.mode, authorities } }, deps)
    }
    default:
      return config satisfies never
  }
}
