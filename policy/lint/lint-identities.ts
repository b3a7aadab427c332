/**
 * Findings about who calls: principals that no peer has, names that only some IDs hold, and negations that hold for
 * callers without any identity.
 */

import type { AuthorizationPolicy } from '../authorization-policy.ts'
import { composePeerAuthentication } from '../mtls.ts'
import type { PolicySnapshot } from '../snapshot.ts'
import { type Finding, quoted } from './finding.ts'
import type { Linted } from './surroundings.ts'
import {
  effectOfNoMatch,
  fieldsOfPolicy,
  fieldsOfRule,
  found,
  type WrittenField,
} from './written-field.ts'

const PRINCIPAL = 'source.principal'
/** They name parts of `spiffe://<domain>/ns/<namespace>/sa/<account>`. */
const NAME_ATTRIBUTES = ['source.namespace', 'source.serviceAccount']
const IDENTITY_ATTRIBUTES = [PRINCIPAL, ...NAME_ATTRIBUTES, 'source.trustDomain']
const SCHEME = 'spiffe://'
const ISTIO_PATH = /^[^/]+\/ns\/[^/]+\/sa\/[^/]+$/

export function lintIdentities(linted: Linted): readonly Finding[] {
  const { snapshot } = linted
  const others = otherIds(snapshot)
  return snapshot.authorizationPolicies.flatMap((policy) => [
    ...fieldsOfPolicy(policy).flatMap((field) => [
      ...field.values.flatMap((value) => wrongPrincipal(field, value, snapshot)),
      ...namesWithoutIds(field, others),
    ]),
    ...admittedPlaintext(policy, snapshot),
  ])
}

function wrongPrincipal(
  field: WrittenField,
  value: string,
  { mesh }: PolicySnapshot,
): readonly Finding[] {
  if (field.attribute !== PRINCIPAL) return []
  if (value.startsWith(SCHEME)) {
    return [
      found(
        field,
        'principal-scheme',
        'error',
        `no principal begins with ${SCHEME}, so ${quoted(value)} ${effectOfNoMatch(field)}`,
        `write ${quoted(value.slice(SCHEME.length))}`,
      ),
    ]
  }
  if (/^\/?ns\//.test(value)) {
    const path = value.replace(/^\//, '')
    return [
      found(
        field,
        'principal-without-trust-domain',
        'error',
        `a principal begins with its trust domain, so ${quoted(value)} ${effectOfNoMatch(field)}`,
        `write ${quoted(`${mesh.trustDomain}/${path}`)}, or ${quoted(`*/${path}`)} for any trust domain`,
      ),
    ]
  }
  const domain = value.split('/')[0] ?? ''
  const own: readonly string[] = [mesh.trustDomain, ...mesh.trustDomainAliases, 'cluster.local']
  if (!value.includes('/') || domain.includes('*') || own.includes(domain)) return []
  return [
    found(
      field,
      'foreign-trust-domain',
      'info',
      `${quoted(domain)} is another trust domain than ${quoted(mesh.trustDomain)}: only a workload of a federated one has ${quoted(value)}`,
      `write ${quoted(mesh.trustDomain)} unless ${quoted(domain)} is federated`,
    ),
  ]
}

/** Whole principals of policies that are not of Istio's form: there are callers with such IDs. */
function otherIds({ authorizationPolicies }: PolicySnapshot): readonly string[] {
  return authorizationPolicies
    .flatMap(fieldsOfPolicy)
    .filter(({ attribute }) => attribute === PRINCIPAL)
    .flatMap(({ values }) => values)
    .filter((value) => /^[^/*:]+\/[^*]+$/.test(value) && !ISTIO_PATH.test(value))
}

function namesWithoutIds(field: WrittenField, others: readonly string[]): readonly Finding[] {
  const [example] = others
  if (example === undefined || !NAME_ATTRIBUTES.includes(field.attribute)) return []
  const name = field.attribute === 'source.namespace' ? 'namespace' : 'service account'
  const effect = field.negated ? 'the negation holds for it' : 'it never matches'
  return [
    found(
      field,
      'names-need-istio-ids',
      field.negated ? 'warning' : 'info',
      `policies here speak of ${SCHEME}${example}, whose path has no ${name}: ${effect}`,
      'use principals for callers whose IDs are not of the form <domain>/ns/<namespace>/sa/<account>',
    ),
  ]
}

/** ALLOW with negations alone: whoever has no identity at all passes them. */
function admittedPlaintext(
  policy: AuthorizationPolicy,
  snapshot: PolicySnapshot,
): readonly Finding[] {
  if (policy.action.kind !== 'ALLOW' || isAlwaysMutual(policy, snapshot)) return []
  return policy.rules.flatMap((rule, at) => {
    const fields = fieldsOfRule(policy, rule, at)
    const conditions = fields.filter(({ field }) => field.includes('.when['))
    if (conditions.some(asksWhoCalls)) return []
    const sources = rule.from.map((_, index) =>
      fields.filter(({ field }) => field.startsWith(`spec.rules[${at}].from[${index}].`)),
    )
    const open = (sources.length === 0 ? [[]] : sources).filter((own) => !own.some(asksWhoCalls))
    const firsts = open.map((own) => [...own, ...conditions].find(isNegatedIdentity))
    return [...new Set(firsts)].flatMap((field) =>
      field === undefined ? [] : plaintextFinding(field),
    )
  })
}

/** Whoever lists addresses, too, has said whom else to trust. */
const asksWhoCalls = ({ attribute, negated }: WrittenField): boolean =>
  !negated &&
  (IDENTITY_ATTRIBUTES.includes(attribute) ||
    attribute.startsWith('request.auth.') ||
    attribute === 'source.ip' ||
    attribute === 'remote.ip')

const isNegatedIdentity = ({ attribute, negated }: WrittenField): boolean =>
  negated && IDENTITY_ATTRIBUTES.includes(attribute)

function plaintextFinding(field: WrittenField): Finding {
  return found(
    field,
    'allow-admits-plaintext',
    'warning',
    'a caller without an identity has none of these, so the rule admits plaintext from anybody',
    'add principals: ["*"] beside it, or move the names into a DENY policy, or require STRICT mutual TLS',
  )
}

/** Does PeerAuthentication refuse plaintext to whatever the policy selects? In doubt it does not. */
function isAlwaysMutual(
  policy: AuthorizationPolicy,
  { mesh, peerAuthentications }: PolicySnapshot,
) {
  const weaker = peerAuthentications.filter(
    ({ namespace, mode, portModes }) =>
      (policy.namespace === mesh.rootNamespace || namespace === policy.namespace) &&
      [mode, ...portModes.values()].some((one) => one === 'PERMISSIVE' || one === 'DISABLE'),
  )
  const { attachment, namespace } = policy
  const labels = attachment.kind === 'selector' ? attachment.labels : {}
  const { mode } = composePeerAuthentication(mesh.rootNamespace, peerAuthentications, {
    namespace,
    labels,
  })
  return mode === 'STRICT' && weaker.length === 0
}
