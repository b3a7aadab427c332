/** Who the workload behind the proxy is: what the configuration says, else what the SPIFFE ID tells, else defaults. */
import type { MeshSettings, Workload } from '../policy/snapshot.ts'
import { IdentityError } from '../spiffe/error.ts'
import { type SpiffeId, type TrustDomain, trustDomainOf } from '../spiffe/id.ts'
import type { MeshConfig, ProxyConfig } from './config.ts'
import { type Party, placeOf } from './telemetry/parties.ts'

export interface Self {
  readonly workload: Workload
  readonly mesh: MeshSettings
  /** For metrics and logs. */
  readonly party: Party
}

const DEFAULT = 'default'

/** @throws IdentityError CONFIG_INVALID when the configured trust domain is not that of the SVID */
export function readSelf(
  { workload: given, mesh, trustDomain: wanted }: ProxyConfig,
  id: SpiffeId,
  hostname: string,
): Self {
  const trustDomain = trustDomainOf(id)
  if (wanted !== undefined && wanted !== trustDomain) {
    const todo = 'change proxy.trust_domain or the agent that is asked'
    throw new IdentityError(
      'CONFIG_INVALID',
      `the SVID ${id} is of the trust domain ${trustDomain}, expected ${wanted}; ${todo}`,
    )
  }
  const place = placeOf(id)
  const workload: Workload = {
    namespace: given.namespace ?? place?.namespace ?? DEFAULT,
    name: given.name ?? hostname,
    serviceAccount: given.serviceAccount ?? place?.serviceAccount ?? DEFAULT,
    labels: given.labels,
  }
  return {
    workload,
    mesh: meshSettings(mesh, trustDomain),
    party: {
      ...{ id, workload: workload.name, namespace: workload.namespace, service: given.service },
      ...namesIn(given.labels),
    },
  }
}

/** As the source of policies knows the workload by now: metrics name it by labels that no configuration holds. */
export function withLabelsOf(self: Self, workload: Workload): Self {
  return { ...self, workload, party: { ...self.party, ...namesIn(workload.labels) } }
}

function namesIn(labels: Workload['labels']): Pick<Party, 'app' | 'version'> {
  return {
    app: labels['app.kubernetes.io/name'] ?? labels.app,
    version: labels['app.kubernetes.io/version'] ?? labels.version,
  }
}

/** The settings of the configuration as policies are judged by them. */
export function meshSettings(mesh: MeshConfig, trustDomain: TrustDomain): MeshSettings {
  return {
    rootNamespace: mesh.rootNamespace,
    trustDomain,
    trustDomainAliases: mesh.trustDomainAliases,
    pathNormalization: mesh.pathNormalization,
    refuseAmbiguousPaths: mesh.refuseAmbiguousPaths,
    extensionProviders: mesh.extensionProviders.map(({ name, protocol }) => ({
      name,
      kind: protocol,
    })),
    trustedHops: mesh.trustedHops,
  }
}
