/**
 * One policy as the Kubernetes API gives it, with what is kept of it: the object without what a cluster adds, and what the
 * parsers make of that. Two versions of an object with the same text mean the same, whoever wrote their status.
 */
import type { AuthorizationPolicy } from './authorization-policy.ts'
import { DRY_RUN, parseAuthorizationPolicy } from './parse-authorization-policy.ts'
import { parsePeerAuthentication } from './parse-peer-authentication.ts'
import { parseRequestAuthentication } from './parse-request-authentication.ts'
import type { PeerAuthentication } from './peer-authentication.ts'
import type { RequestAuthentication } from './request-authentication.ts'
import type { Fault, ObjectName, Parsed } from './resource.ts'

export const POLICY_GROUP = 'security.istio.io'
/** The newer first: of those that are served, it is asked for. */
const POLICY_VERSIONS = ['v1', 'v1beta1'] as const
export type PolicyVersion = (typeof POLICY_VERSIONS)[number]

/** Kind → the name of its list in paths. */
export const POLICY_LISTS = {
  AuthorizationPolicy: 'authorizationpolicies',
  PeerAuthentication: 'peerauthentications',
  RequestAuthentication: 'requestauthentications',
} as const
export type PolicyKind = keyof typeof POLICY_LISTS

/** What to ask an API server for. */
export const POLICY_RESOURCES = {
  group: POLICY_GROUP,
  resources: POLICY_LISTS,
  versions: POLICY_VERSIONS,
  advice: 'install deploy/crds/istio-security.yaml, or Istio’s own definitions',
} as const

export type ReadPolicy =
  | { readonly kind: 'AuthorizationPolicy'; readonly policy: AuthorizationPolicy }
  | { readonly kind: 'PeerAuthentication'; readonly policy: PeerAuthentication }
  | { readonly kind: 'RequestAuthentication'; readonly policy: RequestAuthentication }

export interface PolicyObject {
  readonly kind: PolicyKind
  readonly namespace: string
  readonly name: string
  readonly createdMs: number
  /** The object as JSON, in the same order of keys as it came. */
  readonly text: string
  /** Undefined when there are faults. */
  readonly read: ReadPolicy | undefined
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
}

export interface ClusterObjectName extends ObjectName {
  readonly createdAt: Date | undefined
}

/** @param object of a list or a watch, where `apiVersion` and `kind` may be left out */
export function readPolicyObject(
  kind: PolicyKind,
  version: PolicyVersion,
  object: unknown,
  meta: ClusterObjectName,
): PolicyObject {
  const { status: _, apiVersion: __, kind: ___, metadata, ...fields } = asRecord(object)
  const { annotations, creationTimestamp } = asRecord(metadata)
  // The only annotation that means anything to a policy; others are notes of tools.
  const dryRun = asRecord(annotations)[DRY_RUN]
  return parsePolicyText(
    JSON.stringify({
      // What stands beside `spec` stays: the parsers say that there is no such field.
      ...fields,
      apiVersion: `${POLICY_GROUP}/${version}`,
      kind,
      metadata: {
        ...{ namespace: meta.namespace, name: meta.name },
        ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
        ...(dryRun === undefined ? {} : { annotations: { [DRY_RUN]: dryRun } }),
      },
    }),
    { kind, ...meta },
  )
}

/** @param text as a PolicyObject has it */
export function parsePolicyText(
  text: string,
  about: ClusterObjectName & { readonly kind: PolicyKind },
): PolicyObject {
  const { kind, namespace, name, createdAt } = about
  const parsed = parse(kind, JSON.parse(text))
  return {
    ...{ kind, namespace, name, text, createdMs: createdAt?.getTime() ?? 0 },
    read: parsed.kind === 'policy' ? parsed.policy : undefined,
    faults: parsed.kind === 'faults' ? parsed.faults : [],
    warnings: parsed.kind === 'policy' ? parsed.warnings : [],
  }
}

function parse(kind: PolicyKind, object: unknown): Parsed<ReadPolicy> {
  switch (kind) {
    case 'AuthorizationPolicy':
      return named(parseAuthorizationPolicy(object), (policy) => ({ kind, policy }))
    case 'PeerAuthentication':
      return named(parsePeerAuthentication(object), (policy) => ({ kind, policy }))
    case 'RequestAuthentication':
      return named(parseRequestAuthentication(object), (policy) => ({ kind, policy }))
  }
}

function named<T>(parsed: Parsed<T>, name: (policy: T) => ReadPolicy): Parsed<ReadPolicy> {
  return parsed.kind === 'faults' ? parsed : { ...parsed, policy: name(parsed.policy) }
}

const asRecord = (object: unknown): Readonly<Record<string, unknown>> =>
  typeof object === 'object' && object !== null ? { ...object } : {}
