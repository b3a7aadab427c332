/**
 * AuthorizationPolicy (`security.istio.io/v1`, `v1beta1`) as its author wrote it: lists of text, an empty list where
 * the field is absent. `parse-authorization-policy.ts` makes it, `compile.ts` turns it into what decides.
 *
 * @see https://istio.io/latest/docs/reference/config/security/authorization-policy/
 */
import type { Attachment, ObjectName } from './resource.ts'

/** Who calls. Fields are AND-ed, values of a field OR-ed; `not…` holds when none of its values does. */
export interface Source {
  readonly principals: readonly string[]
  readonly notPrincipals: readonly string[]
  readonly requestPrincipals: readonly string[]
  readonly notRequestPrincipals: readonly string[]
  readonly namespaces: readonly string[]
  readonly notNamespaces: readonly string[]
  readonly serviceAccounts: readonly string[]
  readonly notServiceAccounts: readonly string[]
  readonly trustDomains: readonly string[]
  readonly notTrustDomains: readonly string[]
  readonly ipBlocks: readonly string[]
  readonly notIpBlocks: readonly string[]
  readonly remoteIpBlocks: readonly string[]
  readonly notRemoteIpBlocks: readonly string[]
}

/** What is called. Same AND and OR as a source. */
export interface Operation {
  readonly hosts: readonly string[]
  readonly notHosts: readonly string[]
  readonly ports: readonly string[]
  readonly notPorts: readonly string[]
  readonly methods: readonly string[]
  readonly notMethods: readonly string[]
  readonly paths: readonly string[]
  readonly notPaths: readonly string[]
}

/** `values`: one of them; `notValues`: none of them; both when both are given. */
export interface Condition {
  readonly key: string
  readonly values: readonly string[]
  readonly notValues: readonly string[]
}

/** One of `from` AND one of `to` AND all of `when`; an empty list asks nothing. */
export interface Rule {
  readonly from: readonly Source[]
  readonly to: readonly Operation[]
  readonly when: readonly Condition[]
}

export type Action =
  | { readonly kind: 'ALLOW' }
  | { readonly kind: 'DENY' }
  | { readonly kind: 'AUDIT' }
  /** `provider` names one of the mesh's extension providers. */
  | { readonly kind: 'CUSTOM'; readonly provider: string }

export interface AuthorizationPolicy extends ObjectName {
  readonly attachment: Attachment
  readonly action: Action
  /** `istio.io/dry-run`: evaluated and told, never enforced. */
  readonly dryRun: boolean
  readonly rules: readonly Rule[]
}
