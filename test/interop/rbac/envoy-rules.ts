/**
 * AuthorizationPolicies as the configuration of Envoy's RBAC filter, in the way that Istio's control plane writes it.
 * It is a second reading of the policies: nothing of `policy/` is used.
 */
import type { WrittenPolicy } from './drawn-policies.ts'

type Json = Readonly<Record<string, unknown>>
type Match = Json

/** The namespace of the policy, every name of our trust domain, and whether there are requests to look at. */
export interface Reading {
  readonly namespace: string
  readonly own: readonly string[]
  readonly http: boolean
}

const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const regex = (text: string): Match => ({ safe_regex: { regex: text } })

function textMatch(value: string, ignoreCase = false): Match {
  const how = ignoreCase ? { ignore_case: true } : {}
  if (value === '*') return regex('.+')
  if (value.startsWith('*')) return { suffix: value.slice(1), ...how }
  if (value.endsWith('*')) return { prefix: value.slice(0, -1), ...how }
  return { exact: value, ...how }
}

/** An empty suffix or prefix is refused by Envoy; `**` is what comes to it. */
const headerMatch = (name: string, value: string, ignoreCase = false): Match =>
  value === '*'
    ? { name, present_match: true }
    : { name, string_match: textMatch(value, ignoreCase) }

function cidr(value: string): Match {
  const [address = '', bits] = value.split('/')
  return { address_prefix: address, prefix_len: Number(bits ?? (address.includes(':') ? 128 : 32)) }
}

const peer = (match: Match): Match => ({ authenticated: { principal_name: match } })

function principal(value: string): Match {
  if (value === '*') return peer(regex('.+'))
  if (value.startsWith('*')) return peer(regex(`spiffe://.*${quote(value.slice(1))}`))
  if (value.endsWith('*')) return peer({ prefix: `spiffe://${value.slice(0, -1)}` })
  return peer({ exact: `spiffe://${value}` })
}

const fits = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.split('*').map(quote).join('.*')}$`).test(text)

function aliasesOf(value: string, own: readonly string[]): readonly string[] {
  const [domain = '', ...path] = value.split('/')
  if (path.length !== 4 || domain === '*') return [value]
  const atOneEnd = !domain.slice(1, -1).includes('*') && !/^\*.*\*$/.test(domain)
  const ours = domain === 'cluster.local' || (atOneEnd && own.some((name) => fits(domain, name)))
  if (!ours) return [value]
  return [
    ...new Set(
      own.map((name) =>
        domain.startsWith('*') && fits(domain, name) ? value : [name, ...path].join('/'),
      ),
    ),
  ]
}

function account(value: string, namespace: string): Match {
  const [ns = '', sa = ''] = value.includes('/') ? value.split('/') : [namespace, value]
  return peer(regex(`spiffe://.+/ns/${quote(ns)}/(.+/|)sa/${quote(sa)}(/.+)?`))
}

const claim = (path: readonly string[], value: Match): Match => ({
  metadata: {
    filter: 'envoy.filters.http.jwt_authn',
    path: [{ key: 'payload' }, ...path.map((key) => ({ key }))],
    value,
  },
})

const claimIn = (path: readonly string[], value: string): Match => {
  const match = { string_match: textMatch(value) }
  return claim(path, { or_match: { value_matchers: [match, { list_match: { one_of: match } }] } })
}

function token(value: string): Match {
  const slash = value.lastIndexOf('/')
  const [issuer, subject] = slash === -1 ? [] : [value.slice(0, slash), value.slice(slash + 1)]
  const both = (iss: Match, sub: Match): Match => ({
    and_ids: {
      ids: [claim(['iss'], { string_match: iss }), claim(['sub'], { string_match: sub })],
    },
  })
  const any = regex('.+')
  if (value === '*') return both(any, any)
  if (issuer === undefined || subject === undefined) {
    return value.startsWith('*') ? both(any, textMatch(value)) : both(textMatch(value), any)
  }
  if (value.startsWith('*')) return both(textMatch(issuer), { exact: subject })
  return both({ exact: issuer }, value.endsWith('*') ? textMatch(subject) : { exact: subject })
}

function path(value: string): Match {
  if (!value.includes('{*')) return { url_path: { path: textMatch(value) } }
  return {
    uri_template: {
      name: 'envoy.path.match.uri_template.uri_template_matcher',
      typed_config: {
        '@type':
          'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
        path_template: value.replaceAll('{*}', '*').replaceAll('{**}', '**'),
      },
    },
  }
}

interface Attribute {
  /** Of the caller, or of what is called. */
  readonly side: 'id' | 'rule'
  readonly http: boolean
  readonly match: (value: string, reading: Reading) => readonly Match[]
}

const of = (
  side: Attribute['side'],
  http: boolean,
  match: (value: string, reading: Reading) => Match,
): Attribute => ({ side, http, match: (value, reading) => [match(value, reading)] })

const ATTRIBUTES: Readonly<Record<string, Attribute>> = {
  'source.principal': {
    side: 'id',
    http: false,
    match: (value, { own }) => aliasesOf(value, own).map(principal),
  },
  'source.namespace': of('id', false, (value) =>
    peer(regex(`.*/ns/${value.split('*').map(quote).join('.*')}/.*`)),
  ),
  'source.serviceAccount': of('id', false, (value, { namespace }) => account(value, namespace)),
  'source.trustDomain': {
    side: 'id',
    http: false,
    match: (value, { own }) =>
      (own.includes(value) ? own : [value]).map((name) =>
        peer(
          name.includes('*')
            ? regex(`spiffe://${name.split('*').map(quote).join('[^/]*')}/.*`)
            : { prefix: `spiffe://${name}/` },
        ),
      ),
  },
  'source.ip': of('id', false, (value) => ({ direct_remote_ip: cidr(value) })),
  'remote.ip': of('id', false, (value) => ({ remote_ip: cidr(value) })),
  'destination.ip': of('rule', false, (value) => ({ destination_ip: cidr(value) })),
  'destination.port': of('rule', false, (value) => ({ destination_port: Number(value) })),
  'connection.sni': of('rule', false, (value) => ({ requested_server_name: textMatch(value) })),
  'request.auth.principal': of('id', true, token),
  'request.auth.audiences': of('id', true, (value) => claimIn(['aud'], value)),
  'request.auth.presenter': of('id', true, (value) =>
    claim(['azp'], { string_match: textMatch(value) }),
  ),
  host: of('rule', true, (value) => ({ header: headerMatch(':authority', value, true) })),
  method: of('rule', true, (value) => ({ header: headerMatch(':method', value) })),
  path: of('rule', true, path),
}

function attributeOf(key: string): Attribute {
  const known = ATTRIBUTES[key]
  if (known !== undefined) return known
  const names = [...key.matchAll(/\[([^\]]+)\]/g)].map(([, name]) => name ?? '')
  if (key.startsWith('request.auth.claims')) {
    return of('id', true, (value) => claimIn(names, value))
  }
  const [header = ''] = names
  return of('id', true, (value) => ({ header: headerMatch(header, value) }))
}

const FIELDS: Readonly<Record<string, string>> = {
  principals: 'source.principal',
  requestPrincipals: 'request.auth.principal',
  namespaces: 'source.namespace',
  serviceAccounts: 'source.serviceAccount',
  trustDomains: 'source.trustDomain',
  ipBlocks: 'source.ip',
  remoteIpBlocks: 'remote.ip',
  hosts: 'host',
  methods: 'method',
  paths: 'path',
  ports: 'destination.port',
}

interface Asked {
  readonly side: 'id' | 'rule'
  readonly http: boolean
  readonly match: Match
}

function asked(key: string, values: readonly string[], negated: boolean, reading: Reading): Asked {
  const { side, http, match } = attributeOf(key)
  const all = values.flatMap((value) => match(value, reading))
  const or = side === 'id' ? { or_ids: { ids: all } } : { or_rules: { rules: all } }
  const not = side === 'id' ? 'not_id' : 'not_rule'
  return { side, http, match: negated ? { [not]: or } : or }
}

type Lists = Readonly<Record<string, readonly string[]>>

const fieldsOf = (lists: Lists, reading: Reading): readonly Asked[] =>
  Object.entries(lists).map(([name, values]) => {
    const negated = name.startsWith('not')
    const plain = negated ? name.charAt(3).toLowerCase() + name.slice(4) : name
    return asked(FIELDS[plain] ?? '', values, negated, reading)
  })

/** Parts that are absent ask nothing. */
interface WrittenRule {
  readonly from?: readonly { readonly source: Lists }[]
  readonly to?: readonly { readonly operation: Lists }[]
  readonly when?: readonly {
    readonly key: string
    readonly values?: readonly string[] | undefined
    readonly notValues?: readonly string[] | undefined
  }[]
}

/** One rule as a policy of Envoy's; undefined where it is dropped: an ALLOW that asks for what a connection lacks. */
function policyOf(rule: WrittenRule, action: string, reading: Reading): Json | undefined {
  const from = (rule.from ?? []).map(({ source }) => fieldsOf(source, reading))
  const to = (rule.to ?? []).map(({ operation }) => fieldsOf(operation, reading))
  const when = (rule.when ?? []).flatMap(({ key, values, notValues }) => [
    ...(values === undefined ? [] : [asked(key, values, false, reading)]),
    ...(notValues === undefined ? [] : [asked(key, notValues, true, reading)]),
  ])
  const unseen = [...from.flat(), ...to.flat(), ...when].some(({ http }) => http && !reading.http)
  if (unseen && action === 'ALLOW') return undefined
  const and = (all: readonly Asked[], side: Asked['side']): Match => {
    const matches = [...all, ...when.filter((one) => one.side === side)]
      .filter(({ http }) => reading.http || !http)
      .map(({ match }) => match)
    if (matches.length === 0) return { any: true }
    return side === 'id' ? { and_ids: { ids: matches } } : { and_rules: { rules: matches } }
  }
  return {
    permissions: to.length === 0 ? [and([], 'rule')] : to.map((one) => and(one, 'rule')),
    principals: from.length === 0 ? [and([], 'id')] : from.map((one) => and(one, 'id')),
  }
}

const NEVER = {
  permissions: [{ not_rule: { any: true } }],
  principals: [{ not_id: { any: true } }],
}

function rulesOf(
  policies: readonly WrittenPolicy[],
  action: 'ALLOW' | 'DENY',
  reading: Reading,
): Json | undefined {
  const chosen = policies.filter(({ spec }) => spec.action === action)
  if (chosen.length === 0) return undefined
  const entries = chosen.flatMap(({ metadata, spec }) =>
    (spec.rules as readonly WrittenRule[]).flatMap((rule, at): readonly [string, Json][] => {
      const policy = policyOf(rule, action, reading)
      const id = `ns[${metadata.namespace}]-policy[${metadata.name}]-rule[${at}]`
      return policy === undefined ? [] : [[id, policy]]
    }),
  )
  const none = entries.length === 0 && action === 'ALLOW'
  return { action, policies: none ? { never: NEVER } : Object.fromEntries(entries) }
}

/** The filter of one action, with what is only tried beside what is enforced. */
export function rbacOf(
  policies: readonly WrittenPolicy[],
  action: 'ALLOW' | 'DENY',
  reading: Reading,
): Json {
  const isDry = ({ metadata }: WrittenPolicy) => 'istio.io/dry-run' in metadata.annotations
  const enforced = policies.filter((policy) => !isDry(policy))
  return {
    rules: rulesOf(enforced, action, reading),
    shadow_rules: rulesOf(policies.filter(isDry), action, reading),
    shadow_rules_stat_prefix: `istio_dry_run_${action.toLowerCase()}_`,
  }
}
