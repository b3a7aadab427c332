/**
 * What can be said of a connection before it is known what it carries: whether policy would deny it whatever comes. A rule
 * that speaks of requests is taken to match no request when it denies, and every request when it allows, so that what is
 * denied by this would be denied later too, request by request; what is not denied is judged again when it is known.
 *
 * Fails open by itself, and may therefore never be the only judgement of a connection.
 */
import { isHttpAttribute, OPERATION_ATTRIBUTES, SOURCE_ATTRIBUTES } from '../../policy/attribute.ts'
import type {
  AuthorizationPolicy,
  Operation,
  Rule,
  Source,
} from '../../policy/authorization-policy.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'

/** `remote.ip` may come from a header. */
const isOfRequests = (attribute: string): boolean =>
  isHttpAttribute(attribute) || attribute === 'remote.ip'

/** The policies as far as they bind every connection; for a place that sees connections. */
export function connectionBound(snapshot: PolicySnapshot): PolicySnapshot {
  const authorizationPolicies = snapshot.authorizationPolicies.flatMap(
    (policy): readonly AuthorizationPolicy[] => {
      switch (policy.action.kind) {
        case 'ALLOW':
          return [{ ...policy, rules: policy.rules.map(widened) }]
        case 'DENY':
          return [{ ...policy, rules: policy.rules.filter((rule) => !speaksOfRequests(rule)) }]
        default:
          return [] // they decide nothing, or an external provider does
      }
    },
  )
  return { ...snapshot, authorizationPolicies }
}

function speaksOfRequests({ from, to, when }: Rule): boolean {
  return (
    from.some((source) => asks(source, SOURCE_ATTRIBUTES)) ||
    to.some((operation) => asks(operation, OPERATION_ATTRIBUTES)) ||
    when.some(({ key }) => isOfRequests(key))
  )
}

function widened({ from, to, when }: Rule): Rule {
  return {
    from: from.map((source) => without(source, SOURCE_ATTRIBUTES)),
    to: to.map((operation) => without(operation, OPERATION_ATTRIBUTES)),
    when: when.filter(({ key }) => !isOfRequests(key)),
  }
}

type Fields<T> = readonly (readonly [keyof T, keyof T, string])[]

function asks<T extends Source | Operation>(one: T, fields: Fields<T>): boolean {
  const isGiven = (field: keyof T) => (one[field] as readonly string[]).length > 0 // cast: every field is a list of texts
  return fields.some(
    ([field, negated, attribute]) =>
      isOfRequests(attribute) && (isGiven(field) || isGiven(negated)),
  )
}

function without<T extends Source | Operation>(one: T, fields: Fields<T>): T {
  const emptied = fields
    .filter(([, , attribute]) => isOfRequests(attribute))
    .flatMap(([field, negated]) => [[field, []] as const, [negated, []] as const])
  return { ...one, ...Object.fromEntries(emptied) }
}
