/** Findings over policies of the namespace `shop`, as a test asks for them. */

import type { AuthorizationPolicy } from '../../../policy/authorization-policy.ts'
import type { Finding, FindingCode } from '../../../policy/lint/finding.ts'
import { lint } from '../../../policy/lint/lint.ts'
import {
  type KnownPort,
  type KnownWorkload,
  NOTHING_KNOWN,
  type Surroundings,
} from '../../../policy/lint/surroundings.ts'
import { parsePeerAuthentication } from '../../../policy/parse-peer-authentication.ts'
import { parseRequestAuthentication } from '../../../policy/parse-request-authentication.ts'
import type { PeerAuthentication } from '../../../policy/peer-authentication.ts'
import type { RequestAuthentication } from '../../../policy/request-authentication.ts'
import type { Parsed } from '../../../policy/resource.ts'
import type { PolicySnapshot } from '../../../policy/snapshot.ts'
import { meshOf, policy } from '../material.ts'

export function findings(
  parts: Partial<PolicySnapshot>,
  surroundings: Partial<Surroundings> = {},
): readonly Finding[] {
  return lint({ snapshot: meshOf(parts), surroundings: { ...NOTHING_KNOWN, ...surroundings } })
}

/** The findings of one code about these policies. */
export const findingsOf = (
  code: FindingCode,
  authorizationPolicies: readonly AuthorizationPolicy[],
  surroundings: Partial<Surroundings> = {},
  parts: Partial<PolicySnapshot> = {},
): readonly Finding[] =>
  findings({ authorizationPolicies, ...parts }, surroundings).filter((one) => one.code === code)

export const allow = (...rules: readonly object[]) => policy('p', { rules })
export const deny = (...rules: readonly object[]) => policy('p', { action: 'DENY', rules })
export const source = (fields: object) => ({ from: [{ source: fields }] })
export const operation = (fields: object) => ({ to: [{ operation: fields }] })
export const when = (key: string, values: readonly string[]) => ({ when: [{ key, values }] })
export const whenNot = (key: string, notValues: readonly string[]) => ({
  when: [{ key, notValues }],
})

export const cart = (ports?: readonly KnownPort[], more: Partial<KnownWorkload> = {}) => ({
  namespace: 'shop',
  name: 'cart',
  serviceAccount: 'cart',
  labels: { app: 'cart' },
  ports,
  servicePorts: new Map<number, number>(),
  ...more,
})

function accepted<T>(parsed: Parsed<T>): T {
  if (parsed.kind === 'faults') throw new Error(JSON.stringify(parsed.faults))
  return parsed.policy
}

export const peers = (
  name: string,
  spec: object,
  metadata: Readonly<Record<string, unknown>> = {},
): PeerAuthentication =>
  accepted(
    parsePeerAuthentication({
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name, namespace: 'shop', ...metadata },
      spec,
    }),
  )

export const tokens = (spec: object, namespace = 'shop'): RequestAuthentication =>
  accepted(
    parseRequestAuthentication({
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { name: 'jwt', namespace },
      spec,
    }),
  )
