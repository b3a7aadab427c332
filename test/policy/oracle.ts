/**
 * A second reading of Istio's rules, written for obviousness: every policy, every rule, every value, in order, with a
 * regular expression for each text. The engine must never answer otherwise.
 */
import type {
  AuthorizationPolicy,
  Operation,
  Rule,
  Source,
} from '../../policy/authorization-policy.ts'
import type { ConnectionFacts, RequestFacts } from '../../policy/facts.ts'

export type Engine = 'sidecar-http' | 'sidecar-tcp' | 'ztunnel'

export interface Answer {
  readonly kind: 'allow' | 'deny'
  /** `ALLOW`, `DENY` and where they say so, or the reason. */
  readonly why: string
}

type Facts = ConnectionFacts & Partial<RequestFacts>
/** Undefined stands for «not here»: the field does not exist at this engine. */
type Answered = boolean | undefined

const quote = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** `abc`, `abc*`, `*abc`, `*`. */
function pattern(value: string): RegExp {
  if (value === '*') return /^.+$/s
  if (value.startsWith('*')) return new RegExp(`${quote(value.slice(1))}$`)
  if (value.endsWith('*')) return new RegExp(`^${quote(value.slice(0, -1))}`)
  return new RegExp(`^${quote(value)}$`)
}

const has = (value: string, text: string | undefined) =>
  text !== undefined && pattern(value).test(text)

const inBlock = (block: string, ip: string): boolean => {
  const [address = '', length = '32'] = block.split('/')
  const bits = (text: string) =>
    text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(length))
  return bits(address) === bits(ip)
}

function matchesOne(
  field: string,
  value: string,
  policy: AuthorizationPolicy,
  engine: Engine,
  facts: Facts,
): Answered {
  const uri = facts.peer
  const [, , namespace, account] =
    /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(uri ?? '') ?? []
  const full = (text: string) => uri !== undefined && new RegExp(`^${text}$`, 's').test(uri)
  const http = engine === 'sidecar-http'
  switch (field) {
    case 'principals':
      return has(value, uri?.slice('spiffe://'.length))
    case 'namespaces':
      return engine === 'ztunnel'
        ? has(value, namespace)
        : full(`.*/ns/${value.split('*').map(quote).join('.*')}/.*`)
    case 'serviceAccounts': {
      const [ns = '', sa = ''] = value.includes('/') ? value.split('/') : [policy.namespace, value]
      if (engine === 'ztunnel') return namespace === ns && account === sa
      return full(`spiffe://.+/ns/${quote(ns)}/(.+/|)sa/${quote(sa)}(/.+)?`)
    }
    case 'trustDomains':
      if (engine === 'ztunnel') return undefined
      return has(value, /^spiffe:\/\/([^/]+)\//.exec(uri ?? '')?.[1])
    case 'ipBlocks':
      return inBlock(value, facts.sourceIp)
    case 'remoteIpBlocks':
      return engine === 'ztunnel' ? undefined : inBlock(value, facts.remoteIp)
    case 'ports':
      return Number(value) === facts.destinationPort
    case 'hosts':
      return http ? value === '*' || has(value.toLowerCase(), facts.host?.toLowerCase()) : undefined
    case 'methods':
      return http ? value === '*' || has(value, facts.method) : undefined
    case 'paths': {
      if (!http) return undefined
      if (!value.includes('{*')) return has(value, facts.path)
      const segment = "[a-zA-Z0-9._~%!$&'()*+,;:@=-]"
      const text = quote(value)
        .replaceAll('\\{\\*\\*\\}', `(${segment}|/)*`)
        .replaceAll('\\{\\*\\}', `${segment}+`)
      return new RegExp(`^${text}$`).test(facts.path ?? '')
    }
    case 'requestPrincipals': {
      if (!http) return undefined
      const { issuer = '', subject = '' } = facts.token ?? {}
      if (issuer === '' || subject === '') return false
      if (value === '*') return true
      const cut = value.lastIndexOf('/')
      const [iss, sub] = [value.slice(0, Math.max(cut, 0)), value.slice(cut + 1)]
      if (cut === -1)
        return value.startsWith('*')
          ? has(value, subject)
          : value.endsWith('*')
            ? has(value, issuer)
            : false
      if (value.startsWith('*')) return has(iss, issuer) && sub === subject
      return iss === issuer && (value.endsWith('*') ? has(sub, subject) : sub === subject)
    }
    default:
      throw new Error(`no such field: ${field}`)
  }
}

/** The fields of one source or operation: undefined when nothing of it exists at this engine. */
function holds(
  fields: Readonly<Record<string, readonly string[]>>,
  policy: AuthorizationPolicy,
  engine: Engine,
  facts: Facts,
) {
  const results: boolean[] = []
  let unseen = false
  for (const [name, values] of Object.entries(fields)) {
    if (values.length === 0) continue
    const negated = name.startsWith('not')
    const plain = negated ? name.charAt(3).toLowerCase() + name.slice(4) : name
    const answers = values.map((value) => matchesOne(plain, value, policy, engine, facts))
    if (answers.includes(undefined)) unseen = true
    else results.push(answers.includes(true) !== negated)
  }
  return { holds: results.every(Boolean), empty: results.length === 0, unseen }
}

const KEYS: Readonly<Record<string, string>> = {
  'source.principal': 'principals',
  'source.namespace': 'namespaces',
  'source.serviceAccount': 'serviceAccounts',
  'source.trustDomain': 'trustDomains',
  'source.ip': 'ipBlocks',
  'remote.ip': 'remoteIpBlocks',
  'destination.port': 'ports',
  'request.auth.principal': 'requestPrincipals',
}

function conditionHolds(
  condition: Rule['when'][number],
  policy: AuthorizationPolicy,
  engine: Engine,
  facts: Facts,
) {
  const header = /^request\.headers\[(.+)\]$/.exec(condition.key)?.[1]
  if (header !== undefined) {
    if (engine !== 'sidecar-http') return { holds: true, empty: true, unseen: true }
    const lines = facts.headerLines?.(header.toLowerCase()) ?? []
    const some = (values: readonly string[]) =>
      values.some((value) => lines.some((line) => value === '*' || pattern(value).test(line)))
    return {
      holds:
        (condition.values.length === 0 || some(condition.values)) && !some(condition.notValues),
      empty: false,
      unseen: false,
    }
  }
  const field = KEYS[condition.key] ?? ''
  const unseen = engine === 'ztunnel' && condition.key === 'source.serviceAccount'
  if (unseen) return { holds: true, empty: true, unseen }
  const not = `not${field.charAt(0).toUpperCase()}${field.slice(1)}`
  return holds({ [field]: condition.values, [not]: condition.notValues }, policy, engine, facts)
}

function ruleMatches(
  rule: Rule,
  policy: AuthorizationPolicy,
  engine: Engine,
  facts: Facts,
): boolean {
  const judge = (fields: Source | Operation) => holds({ ...fields }, policy, engine, facts)
  const from = rule.from.map(judge)
  const to = rule.to.map(judge)
  const when = rule.when.map((condition) => conditionHolds(condition, policy, engine, facts))
  const unseen = [...from, ...to, ...when].some((part) => part.unseen)
  if (policy.action.kind === 'ALLOW' && unseen) return false
  // ztunnel: what has nothing left matches nobody. Envoy: it matches everybody.
  const one = (part: { holds: boolean; empty: boolean }) =>
    part.holds && !(engine === 'ztunnel' && part.empty)
  return (
    (from.length === 0 || from.some(one)) && (to.length === 0 || to.some(one)) && when.every(one)
  )
}

/** Policies that apply have been chosen already. */
export function answer(
  policies: readonly AuthorizationPolicy[],
  engine: Engine,
  facts: Facts,
): Answer {
  const matching = (action: 'ALLOW' | 'DENY') =>
    policies
      .filter((policy) => policy.action.kind === action && !policy.dryRun)
      .flatMap((policy) => policy.rules.map((rule, at) => ({ policy, rule, at })))
      .filter(({ policy, rule }) => ruleMatches(rule, policy, engine, facts))
      .map(({ policy, at }) => `ns[${policy.namespace}]-policy[${policy.name}]-rule[${at}]`)
      .sort()
  const [denied] = matching('DENY')
  if (denied !== undefined) return { kind: 'deny', why: denied }
  if (!policies.some(({ action, dryRun }) => action.kind === 'ALLOW' && !dryRun)) {
    return { kind: 'allow', why: 'no-allow-policy' }
  }
  const [allowed] = matching('ALLOW')
  return allowed === undefined
    ? { kind: 'deny', why: 'no-allow-matched' }
    : { kind: 'allow', why: allowed }
}
