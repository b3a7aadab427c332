/**
 * The attributes that rules speak of, under the names of `when` keys; the fields of sources and operations are
 * attributes too. One place knows how each is matched and whether a plain connection has it.
 */
import type { Operation, Source } from './authorization-policy.ts'
import type { Clause, Matcher } from './clause.ts'
import {
  matchEnvoyMetadata,
  matchHeader,
  matchHosts,
  matchMethods,
  matchPaths,
  matchPorts,
  matchServerNames,
} from './match-request.ts'
import {
  matchIps,
  matchNamespaces,
  matchPlainNamespaces,
  matchPlainServiceAccounts,
  matchPrincipals,
  matchServiceAccounts,
  matchTrustDomains,
} from './match-source.ts'
import { claimPath, matchClaim, matchRequestPrincipals } from './match-token.ts'
import { expandPrincipals, expandTrustDomains, type OwnNames } from './trust-domain-aliases.ts'

/** How the peer's ID is read, and whose names count as ours. */
export interface Dialect {
  readonly reading: 'envoy' | 'ztunnel'
  /** The namespace of the policy: that of service accounts written without one. */
  readonly namespace: string
  /** Empty when aliases are not expanded. */
  readonly own: OwnNames
}

/** Field of a source, its negation, and the attribute. */
export const SOURCE_ATTRIBUTES: readonly (readonly [keyof Source, keyof Source, string])[] = [
  ['principals', 'notPrincipals', 'source.principal'],
  ['requestPrincipals', 'notRequestPrincipals', 'request.auth.principal'],
  ['namespaces', 'notNamespaces', 'source.namespace'],
  ['serviceAccounts', 'notServiceAccounts', 'source.serviceAccount'],
  ['trustDomains', 'notTrustDomains', 'source.trustDomain'],
  ['ipBlocks', 'notIpBlocks', 'source.ip'],
  ['remoteIpBlocks', 'notRemoteIpBlocks', 'remote.ip'],
]

const HOST = 'host'
const METHOD = 'method'
const PATH = 'path'

export const OPERATION_ATTRIBUTES: readonly (readonly [
  keyof Operation,
  keyof Operation,
  string,
])[] = [
  ['hosts', 'notHosts', HOST],
  ['methods', 'notMethods', METHOD],
  ['paths', 'notPaths', PATH],
  ['ports', 'notPorts', 'destination.port'],
]

/** Does only a request have it? */
export const isHttpAttribute = (attribute: string): boolean =>
  attribute === HOST ||
  attribute === METHOD ||
  attribute === PATH ||
  attribute.startsWith('request.')

/** A field with its values, and its negation, as the clauses that it asks for. */
export function clausesOf(
  attribute: string,
  dialect: Dialect,
  positive: { readonly field: string; readonly values: readonly string[] },
  negative: { readonly field: string; readonly values: readonly string[] },
): readonly Clause[] {
  return [
    { ...positive, negated: false },
    { ...negative, negated: true },
  ]
    .filter(({ values }) => values.length > 0)
    .map((written) => {
      const matcher = matcherOf(attribute, dialect, written.values)
      return { ...written, ...matcher, keys: written.negated ? [] : matcher.keys }
    })
}

function matcherOf(attribute: string, dialect: Dialect, values: readonly string[]): Matcher {
  const { reading, namespace, own } = dialect
  switch (attribute) {
    case 'source.principal':
      return matchPrincipals(own.length === 0 ? values : expandPrincipals(own, values))
    case 'source.namespace':
      return reading === 'envoy' ? matchNamespaces(values) : matchPlainNamespaces(values)
    case 'source.serviceAccount':
      return reading === 'envoy'
        ? matchServiceAccounts(values, namespace)
        : matchPlainServiceAccounts(values, namespace)
    case 'source.trustDomain':
      return matchTrustDomains(expandTrustDomains(own, values))
    case 'source.ip':
      return matchIps('sourceIp', values)
    case 'remote.ip':
      return matchIps('remoteIp', values)
    case 'destination.ip':
      return matchIps('destinationIp', values)
    case 'destination.port':
      return matchPorts(values)
    case 'connection.sni':
      return matchServerNames(values)
    case HOST:
      return matchHosts(values)
    case METHOD:
      return matchMethods(values)
    case PATH:
      return matchPaths(values)
    default:
      return tokenOrHeader(attribute, values)
  }
}

function tokenOrHeader(attribute: string, values: readonly string[]): Matcher {
  switch (attribute) {
    case 'request.auth.principal':
      return matchRequestPrincipals(values)
    case 'request.auth.audiences':
      return matchClaim(['aud'], values)
    case 'request.auth.presenter':
      return matchClaim(['azp'], values)
    default: {
      const brackets = attribute.slice(attribute.indexOf('['))
      if (attribute.startsWith('request.headers')) return matchHeader(brackets.slice(1, -1), values)
      if (attribute.startsWith('request.auth.claims')) {
        return matchClaim(claimPath(brackets), values)
      }
      return matchEnvoyMetadata()
    }
  }
}
