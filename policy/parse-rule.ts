/**
 * Reads the rules of an AuthorizationPolicy.
 *
 * An empty list counts as absent, as it does after Istio's decoding: `from: []` asks nothing of the caller. An empty
 * source or operation is refused, since its author forgot something.
 */
import type { Action, Operation, Rule, Source } from './authorization-policy.ts'
import {
  readCondition,
  wrongWithIps,
  wrongWithPorts,
  wrongWithServiceAccounts,
  wrongWithTrustDomains,
} from './parse-condition.ts'
import { wrongWithPath } from './path-template.ts'
import {
  at,
  type Fields,
  fault,
  isAbsent,
  type Reading,
  readFields,
  readList,
  readTexts,
  warn,
} from './read-object.ts'

/** The schema's bounds, in entries. */
const MAX_RULES = 512
const MAX_SOURCES = 512
/** Ours, in entries: the schema has none. A list this long is a mistake, and every one of them is compared. */
const MAX_VALUES = 16_384

/** Fields of a source that a request's bytes decide, and so no TCP connection has. */
const HTTP_SOURCE = ['requestPrincipals', 'notRequestPrincipals'] as const
const L4_SOURCE = [
  'principals',
  'notPrincipals',
  'namespaces',
  'notNamespaces',
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
  'ipBlocks',
  'notIpBlocks',
  'remoteIpBlocks',
  'notRemoteIpBlocks',
] as const
const HTTP_OPERATION = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'] as const
const L4_OPERATION = ['ports', 'notPorts'] as const

const MEANINGLESS = 'without rules it never applies; add an empty rule {} to apply it to everything'

export function readRules(reading: Reading, value: unknown, action: Action): readonly Rule[] {
  const empty = isAbsent(value) || (Array.isArray(value) && value.length === 0)
  if (empty && (action.kind === 'DENY' || action.kind === 'CUSTOM')) {
    fault(reading, `a ${action.kind} policy ${MEANINGLESS}`)
  }
  return readList(reading, value, MAX_RULES, (place, rule) => readRule(place, rule, action))
}

function readRule(reading: Reading, value: unknown, action: Action): Rule | undefined {
  const fields = readFields(reading, value, ['from', 'to', 'when'])
  if (fields === undefined) return undefined
  const custom = action.kind === 'CUSTOM'
  const rule: Rule = {
    from: readList(at(reading, 'from'), fields.from, MAX_SOURCES, (place, item) => {
      const source = readFields(place, item, ['source'])
      return source && readSource(at(place, 'source'), source.source, custom)
    }),
    to: readList(at(reading, 'to'), fields.to, MAX_SOURCES, (place, item) => {
      const operation = readFields(place, item, ['operation'])
      return operation && readOperation(at(place, 'operation'), operation.operation)
    }),
    when: readList(at(reading, 'when'), fields.when, MAX_SOURCES, (place, item) =>
      readCondition(place, item, custom, MAX_VALUES),
    ),
  }
  if (action.kind === 'DENY') warnOfTcp(reading, rule)
  return rule
}

/** On TCP ports the HTTP fields of a DENY rule are left out, and what remains denies more than was asked for. */
function warnOfTcp(reading: Reading, rule: Rule): void {
  const l4Source = rule.from.some((source) => L4_SOURCE.some((name) => source[name].length > 0))
  const l4Operation = rule.to.some((to) => L4_OPERATION.some((name) => to[name].length > 0))
  if (
    (rule.from.length > 0 && rule.to.length === 0 && !l4Source) ||
    (rule.to.length > 0 && !l4Operation)
  ) {
    warn(
      reading,
      'the rule has HTTP fields alone and therefore denies every TCP port; name the ports',
    )
  }
}

type Texts<Name extends string> = { readonly [K in Name]: readonly string[] }

/** Reads every field of an object as a list of texts; refuses the object when all of them are empty. */
function readTextFields<Name extends string>(
  reading: Reading,
  value: unknown,
  names: readonly Name[],
): Texts<Name> | undefined {
  if (isAbsent(value)) return fault(reading, 'expected an object, found nothing')
  const fields: Fields | undefined = readFields(reading, value, names)
  if (fields === undefined) return undefined
  const texts = Object.fromEntries(
    names.map((name) => [name, readTexts(at(reading, name), fields[name], MAX_VALUES)]),
  ) as Texts<Name> // fromEntries forgets the names
  if (names.every((name) => isAbsent(fields[name]) || texts[name].length === 0)) {
    fault(
      reading,
      `it is empty; set one of ${names.join(', ')}, or leave it out to match everything`,
    )
  }
  return texts
}

function readSource(reading: Reading, value: unknown, custom: boolean): Source | undefined {
  const source = readTextFields(reading, value, [...HTTP_SOURCE, ...L4_SOURCE])
  if (source === undefined) return undefined
  const check = (name: keyof Source, wrong: string | undefined) =>
    wrong === undefined ? undefined : fault(at(reading, name), wrong)
  for (const name of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const) {
    check(name, wrongWithIps(source[name]))
  }
  for (const name of ['serviceAccounts', 'notServiceAccounts'] as const) {
    check(name, wrongWithServiceAccounts(source[name]))
  }
  for (const name of ['trustDomains', 'notTrustDomains'] as const) {
    check(name, wrongWithTrustDomains(source[name]))
  }
  const accounts = [...source.serviceAccounts, ...source.notServiceAccounts]
  const others = ['principals', 'notPrincipals', 'namespaces', 'notNamespaces'] as const
  if (accounts.length > 0 && others.some((name) => source[name].length > 0)) {
    fault(reading, 'serviceAccounts cannot be set together with principals or namespaces')
  }
  if (custom) {
    for (const name of [...others, ...CUSTOM_REFUSES]) {
      if (source[name].length > 0)
        fault(at(reading, name), 'is not supported with the action CUSTOM')
    }
  }
  return source
}

/** Beside principals and namespaces: the provider is asked before a token is looked at. */
const CUSTOM_REFUSES = [
  ...HTTP_SOURCE,
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
] as const

function readOperation(reading: Reading, value: unknown): Operation | undefined {
  const operation = readTextFields(reading, value, [...HTTP_OPERATION, ...L4_OPERATION])
  if (operation === undefined) return undefined
  for (const name of ['ports', 'notPorts'] as const) {
    const wrong = wrongWithPorts(operation[name])
    if (wrong !== undefined) fault(at(reading, name), wrong)
  }
  for (const name of ['paths', 'notPaths'] as const) {
    operation[name].forEach((path, index) => {
      const wrong = wrongWithPath(path)
      if (wrong !== undefined) fault(at(at(reading, name), index), wrong)
    })
  }
  return operation
}
