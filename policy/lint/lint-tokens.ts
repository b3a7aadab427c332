/**
 * Findings about tokens: request principals that no token has, and policies about tokens that nobody reads.
 */
import type { AuthorizationPolicy } from '../authorization-policy.ts'
import { type Finding, placeIn, quoted } from './finding.ts'
import { type Linted, mayMeet } from './surroundings.ts'
import {
  effectOfNoMatch,
  fieldsOfPolicy,
  fieldsOfRule,
  found,
  type WrittenField,
} from './written-field.ts'

const REQUEST_PRINCIPAL = 'request.auth.principal'

const isOfToken = ({ attribute }: WrittenField): boolean => attribute.startsWith('request.auth.')

export function lintTokens(linted: Linted): readonly Finding[] {
  return linted.snapshot.authorizationPolicies.flatMap((policy) => [
    ...fieldsOfPolicy(policy)
      .filter(({ attribute }) => attribute === REQUEST_PRINCIPAL)
      .flatMap((field) => field.values.flatMap((value) => wrongRequestPrincipal(field, value))),
    ...admittedWithoutToken(policy),
    ...unreadTokens(linted, policy),
  ])
}

function wrongRequestPrincipal(field: WrittenField, value: string): readonly Finding[] {
  const effect = effectOfNoMatch(field)
  if (value.includes('spiffe://')) {
    const subject = value.slice(value.indexOf('spiffe://'))
    return [
      found(
        field,
        'request-principal-spiffe-id',
        'error',
        `issuer and subject are divided at the last slash, which stands inside the SPIFFE ID, so ${quoted(value)} ${effect}`,
        `write a condition with the key request.auth.claims[sub] and the value ${quoted(subject)}`,
      ),
    ]
  }
  if (value.startsWith('*')) return []
  const slash = value.lastIndexOf('/')
  if (slash === -1) {
    if (value.endsWith('*')) return []
    return [
      found(
        field,
        'request-principal-without-subject',
        'error',
        `a request principal is <issuer>/<subject>, so ${quoted(value)} ${effect}`,
        `write ${quoted(`${value}/*`)} for every subject of the issuer`,
      ),
    ]
  }
  return isCutScheme(value, slash) ? [prefixFinding(field, value)] : []
}

/** `https://host*` divides into the issuer `https:/` and the subject `host*`. */
const isCutScheme = (value: string, slash: number): boolean =>
  /^[a-z][a-z0-9+.-]*:\/$/i.test(value.slice(0, slash))

function prefixFinding(field: WrittenField, value: string): Finding {
  const host = value.replace(/\*$/, '')
  return found(
    field,
    'request-principal-prefix',
    'error',
    `issuer and subject are divided at the last slash, so ${quoted(value)} asks for the issuer ${quoted(value.slice(0, value.lastIndexOf('/')))} and ${effectOfNoMatch(field)}`,
    value.endsWith('*')
      ? `write ${quoted(`${host}/*`)} for one issuer, or a condition with the key request.auth.claims[iss] and the value ${quoted(value)} for several`
      : `write ${quoted(`${host}/*`)} for every subject of the issuer`,
  )
}

/** Who sends no token has no principal that the negation could name. */
function admittedWithoutToken(policy: AuthorizationPolicy): readonly Finding[] {
  if (policy.action.kind !== 'ALLOW') return []
  return policy.rules.flatMap((rule, at) => {
    const fields = fieldsOfRule(policy, rule, at).filter(isOfToken)
    const isAsked = (among: WrittenField) =>
      fields.some(
        ({ field, negated }) =>
          !negated && (field.includes('.when[') || sourceOf(field) === sourceOf(among.field)),
      )
    return fields
      .filter((field) => field.negated && !isAsked(field))
      .map((field) =>
        found(
          field,
          'allow-admits-without-token',
          'warning',
          'a request without a token has none of these, so the rule admits it',
          'add requestPrincipals: ["*"] to the same source, or move the values into a DENY policy',
        ),
      )
  })
}

/** `spec.rules[0].from[1]`: fields of one source hold together. */
const sourceOf = (field: string): string => /^.*\.from\[\d+\]/.exec(field)?.[0] ?? field

/** No token is looked at where no RequestAuthentication says which ones count. */
function unreadTokens({ snapshot }: Linted, policy: AuthorizationPolicy): readonly Finding[] {
  const { mesh, requestAuthentications } = snapshot
  const fields = fieldsOfPolicy(policy).filter(isOfToken)
  const [first] = fields
  if (first === undefined) return []
  const readers = requestAuthentications.filter((one) => mayMeet(mesh.rootNamespace, one, policy))
  const rules = readers.flatMap(({ jwtRules }) => jwtRules)
  if (rules.length === 0) {
    return [
      {
        ...placeIn('AuthorizationPolicy', policy, first.field),
        rule: first.rule,
        code: 'token-never-read',
        severity: 'error',
        what: `no RequestAuthentication applies to these workloads, so no request ever has a token, and the field ${effectOfNoMatch(first)}`,
        instead: 'write a RequestAuthentication with the issuer for the same workloads',
      },
    ]
  }
  if (rules.some(({ issuer }) => issuer === '')) return []
  const issuers = new Set(rules.map(({ issuer }) => issuer))
  return fields
    .filter(({ attribute }) => attribute === REQUEST_PRINCIPAL)
    .flatMap((field) => field.values.flatMap((value) => unknownIssuer(field, value, issuers)))
}

function unknownIssuer(
  field: WrittenField,
  value: string,
  issuers: ReadonlySet<string>,
): readonly Finding[] {
  const slash = value.lastIndexOf('/')
  const issuer = value.slice(0, slash)
  const isOpen = slash === -1 || issuer.startsWith('*') || value.includes('spiffe://')
  if (isOpen || isCutScheme(value, slash) || issuers.has(issuer)) return []
  return [
    found(
      field,
      'issuer-unknown',
      'error',
      `no RequestAuthentication of these workloads takes tokens of the issuer ${quoted(issuer)}, so ${quoted(value)} ${effectOfNoMatch(field)}`,
      `write one of their issuers: ${[...issuers].slice(0, MAX_NAMED).map(quoted).join(', ')}`,
    ),
  ]
}

/** Issuers that a finding names. */
const MAX_NAMED = 5
