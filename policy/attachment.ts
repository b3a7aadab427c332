/**
 * Which policies apply to a workload at the place where the proxy enforces them.
 */
import type { Attachment, ObjectName, TargetRef } from './resource.ts'
import type { Workload } from './snapshot.ts'

/**
 * Where a policy is enforced. The same policy means different things there: requests, or mere connections; Envoy's
 * treatment of fields that a connection has not, or ztunnel's.
 */
export type Place =
  | { readonly kind: 'sidecar-http' }
  | { readonly kind: 'sidecar-tcp' }
  /** The node proxy on layer 4, with the control plane's conversion. */
  | { readonly kind: 'ztunnel' }
  | Waypoint

export interface Waypoint {
  readonly kind: 'waypoint'
  /** The waypoint's own Gateway; undefined when it has no name that policies could refer to. */
  readonly gateway: ObjectName | undefined
  /** What the request is for. */
  readonly service: (ObjectName & { readonly kind: 'Service' | 'ServiceEntry' }) | undefined
}

/** The class of all waypoints, for policies of the root namespace. */
const WAYPOINT_CLASS = 'istio-waypoint'

/** Every label of the selector must be there with its value. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}

interface Attached extends ObjectName {
  readonly attachment: Attachment
}

/** Does this policy apply to the workload at the place? */
export function isAttached(
  policy: Attached,
  rootNamespace: string,
  workload: Pick<Workload, 'namespace' | 'labels'>,
  place: Place,
): boolean {
  const { attachment } = policy
  if (place.kind === 'waypoint') {
    return (
      attachment.kind === 'targets' &&
      attachment.targets.some((target) => refersTo(target, policy, rootNamespace, place))
    )
  }
  return (
    attachment.kind === 'selector' &&
    (policy.namespace === rootNamespace || policy.namespace === workload.namespace) &&
    selects(attachment.labels, workload.labels)
  )
}

/** References do not leave the policy's namespace, but for the class, which only the root namespace may name. */
function refersTo(
  target: TargetRef,
  policy: ObjectName,
  rootNamespace: string,
  { gateway, service }: Waypoint,
): boolean {
  const isNamed = (object: ObjectName | undefined) =>
    object?.name === target.name && object.namespace === policy.namespace
  switch (target.kind) {
    case 'Gateway':
      return isNamed(gateway)
    case 'GatewayClass':
      return target.name === WAYPOINT_CLASS && policy.namespace === rootNamespace
    default:
      return target.kind === service?.kind && isNamed(service)
  }
}
