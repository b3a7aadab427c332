/**
 * Who talks to whom, in the words of Istio's metrics and logs. Namespace and service account are read from SPIFFE IDs of
 * Istio's shape; of others they are unknown, which is what `unknown` in a label says.
 */

import { isIP } from 'node:net'
import { pathOf, type SpiffeId } from '../../spiffe/id.ts'
import type { Labels } from '../../telemetry/metrics.ts'

export interface Party {
  /** Undefined: it showed none. */
  readonly id: SpiffeId | undefined
  readonly workload: string | undefined
  readonly namespace: string | undefined
  readonly app: string | undefined
  readonly version: string | undefined
  readonly service: string | undefined
}

export interface Parties {
  readonly reporter: 'source' | 'destination'
  readonly source: Party
  readonly destination: Party
  readonly isMutualTls: boolean
}

const UNKNOWN = 'unknown'
const NS_SA = /^\/ns\/([^/]+)\/sa\/([^/]+)$/

export interface Place {
  readonly namespace: string
  readonly serviceAccount: string
}

/** @returns undefined for an ID of another shape than `/ns/<namespace>/sa/<service account>` */
export function placeOf(id: SpiffeId): Place | undefined {
  const [, namespace, serviceAccount] = NS_SA.exec(pathOf(id)) ?? []
  if (namespace === undefined || serviceAccount === undefined) return undefined
  return { namespace, serviceAccount }
}

/** What a SPIFFE ID alone tells of somebody. */
export function strangerParty(id: SpiffeId | undefined, service?: string): Party {
  const namespace = id === undefined ? undefined : placeOf(id)?.namespace
  return {
    ...{ id, workload: undefined, namespace, app: undefined, version: undefined },
    service,
  }
}

/** A call that has come to our workload. @param id of the verified caller; undefined: nothing is known of him */
export function callTo(destination: Party, id: SpiffeId | undefined): Parties {
  const source = strangerParty(id)
  return { reporter: 'destination', source, destination, isMutualTls: id !== undefined }
}

/** The labels that all series about one pair share. */
export function partyLabels({ reporter, source, destination, isMutualTls }: Parties): Labels {
  const service = destination.service ?? destination.workload ?? UNKNOWN
  // The first label of a name; an address has none.
  const [serviceName = UNKNOWN] = isIP(service) === 0 ? service.split('.') : [service]
  return {
    reporter,
    ...sideLabels('source', source),
    ...sideLabels('destination', destination),
    destination_service: service,
    destination_service_name: serviceName,
    destination_service_namespace: destination.namespace ?? UNKNOWN,
    connection_security_policy: isMutualTls ? 'mutual_tls' : UNKNOWN,
  }
}

function sideLabels(side: 'source' | 'destination', party: Party): Labels {
  const { id, workload, namespace, app, version } = party
  return {
    [`${side}_workload`]: workload ?? UNKNOWN,
    [`${side}_workload_namespace`]: namespace ?? UNKNOWN,
    [`${side}_principal`]: id ?? UNKNOWN,
    [`${side}_app`]: app ?? UNKNOWN,
    [`${side}_version`]: version ?? UNKNOWN,
    [`${side}_canonical_service`]: app ?? workload ?? UNKNOWN,
    [`${side}_canonical_revision`]: version ?? 'latest',
    [`${side}_cluster`]: UNKNOWN,
  }
}
