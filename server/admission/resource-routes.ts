/**
 * Checks our custom resources before they are stored, by the very parsers that read them afterwards: what passes here is
 * a spec that the controller can read. Paths are those of spire-controller-manager; its manifests apply unchanged.
 */
import { recordAt } from '../../kubernetes/object.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { parseClusterFederatedTrustDomainSpec } from '../controller/cluster-federated-trust-domain.ts'
import { parseClusterSpiffeIdSpec } from '../controller/cluster-spiffe-id.ts'
import { parseClusterStaticEntrySpec } from '../controller/cluster-static-entry.ts'
import { type AdmissionRoute, type AdmissionRoutes, ALLOWED } from './routes.ts'

const PREFIX = '/validate-spire-spiffe-io-v1alpha1-'

export function resourceRoutes(trustDomain: TrustDomain): AdmissionRoutes {
  return new Map([
    [`${PREFIX}clusterspiffeid`, checking(parseClusterSpiffeIdSpec)],
    [
      `${PREFIX}clusterstaticentry`,
      checking((spec) => parseClusterStaticEntrySpec(spec, trustDomain)),
    ],
    [
      `${PREFIX}clusterfederatedtrustdomain`,
      checking((spec) => parseClusterFederatedTrustDomainSpec(spec, trustDomain)),
    ],
  ])
}

/** @param parse throws an IdentityError, which becomes the refusal */
function checking(parse: (spec: unknown) => unknown): AdmissionRoute {
  return async ({ operation, object }) => {
    if (operation === 'CREATE' || operation === 'UPDATE') parse(recordAt(object, 'spec'))
    return ALLOWED
  }
}
