/**
 * The identities of a Linkerd mesh, which are DNS names: `<service account>.<namespace>.serviceaccount.identity.<control
 * plane namespace>.<trust domain>`.
 *
 * @see Mesh issuance §5.1
 */
import type { ServiceAccountName } from '../../../kubernetes/review-token.ts'

export interface LinkerdNaming {
  readonly controlPlaneNamespace: string
  /** The suffix; not the server's trust domain. */
  readonly trustDomain: string
}

export function linkerdIdentity(
  { namespace, name }: ServiceAccountName,
  { controlPlaneNamespace, trustDomain }: LinkerdNaming,
): string {
  return `${name}.${namespace}.serviceaccount.identity.${controlPlaneNamespace}.${trustDomain}`
}

/** Under which proxies know the identity service itself. */
export function servingIdentity(naming: LinkerdNaming): string {
  return linkerdIdentity(
    { namespace: naming.controlPlaneNamespace, name: 'linkerd-identity' },
    naming,
  )
}
