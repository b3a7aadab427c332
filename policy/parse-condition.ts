/**
 * Reads a `when` condition and checks its values by what its key is compared with.
 *
 * @see https://istio.io/latest/docs/reference/config/security/conditions/
 */
import type { Condition } from './authorization-policy.ts'
import { parseIpBlock } from './ip-block.ts'
import {
  at,
  fault,
  isAbsent,
  type Reading,
  readFields,
  readText,
  readTexts,
  shown,
} from './read-object.ts'

/** Of service accounts in one list, as upstream. */
const MAX_SERVICE_ACCOUNTS = 16
/** Of a service account with its namespace: 63 + 1 + 253, rounded up upstream. */
const MAX_SERVICE_ACCOUNT_CHARACTERS = 320

type Check = (values: readonly string[]) => string | undefined

const anything: Check = () => undefined

const KEYS: Readonly<Record<string, Check>> = {
  'source.ip': wrongWithIps,
  'remote.ip': wrongWithIps,
  'destination.ip': wrongWithIps,
  'source.namespace': anything,
  'source.serviceAccount': wrongWithServiceAccounts,
  'source.principal': anything,
  'source.trustDomain': wrongWithTrustDomains,
  'request.auth.principal': anything,
  'request.auth.audiences': anything,
  'request.auth.presenter': anything,
  'destination.port': wrongWithPorts,
  'connection.sni': anything,
}

/** Keys with a name in brackets behind them. */
const BRACKETED = /^(request\.headers|request\.auth\.claims|experimental\.envoy\.filters\.)/
const WITH_NAME =
  /^(request\.headers|request\.auth\.claims|experimental\.envoy\.filters\.[^[]+)\[.+\]$/

const REMOVED: Readonly<Record<string, string>> = {
  'destination.namespace': 'write the policy into that namespace instead',
  'destination.labels': 'select the workload by spec.selector instead',
  'destination.name': 'select the workload by spec.selector instead',
  'destination.user': 'select the workload by spec.selector instead',
}

/** Identity and token are not known yet when the provider of a CUSTOM policy is asked. */
const CUSTOM_REFUSES =
  /^(source\.(namespace|serviceAccount|trustDomain|principal)$|request\.auth\.)/

export function readCondition(
  reading: Reading,
  value: unknown,
  custom: boolean,
  most: number,
): Condition | undefined {
  const fields = readFields(reading, value, ['key', 'values', 'notValues'])
  const key = fields && readText(at(reading, 'key'), fields.key)
  if (fields === undefined || key === undefined) return undefined
  const values = readTexts(at(reading, 'values'), fields.values, most)
  const notValues = readTexts(at(reading, 'notValues'), fields.notValues, most)
  if (isAbsent(fields.values) && isAbsent(fields.notValues)) {
    fault(reading, `${key} needs values or notValues`)
  } else if (values.length === 0 && notValues.length === 0) {
    fault(reading, `${key} needs at least one value in values or notValues`)
  }
  const wrongKey = wrongWithKey(key)
  if (wrongKey !== undefined) return fault(at(reading, 'key'), wrongKey)
  if (custom && CUSTOM_REFUSES.test(key)) {
    fault(at(reading, 'key'), `${key} is not supported with the action CUSTOM`)
  }
  const check = KEYS[key] ?? anything
  for (const [name, texts] of [
    ['values', values],
    ['notValues', notValues],
  ] as const) {
    const wrong = check(texts)
    if (wrong !== undefined) fault(at(reading, name), wrong)
  }
  return { key, values, notValues }
}

function wrongWithKey(key: string): string | undefined {
  if (Object.hasOwn(KEYS, key)) return undefined
  if (BRACKETED.test(key)) {
    return WITH_NAME.test(key)
      ? undefined
      : `expected a name in brackets, such as ${key.split('[')[0]}[name], found ${shown(key)}`
  }
  const removed = Object.entries(REMOVED).find(
    ([name]) => key === name || key.startsWith(`${name}[`),
  )
  if (removed !== undefined) return `${removed[0]} is no longer supported; ${removed[1]}`
  const near = Object.keys(KEYS).find((name) => name.toLowerCase() === key.toLowerCase())
  const known = [...Object.keys(KEYS), 'request.headers[…]', 'request.auth.claims[…]'].join(', ')
  return near === undefined
    ? `there is no attribute ${shown(key)}; expected one of ${known}`
    : `there is no attribute ${shown(key)}; write ${near}`
}

export function wrongWithIps(values: readonly string[]): string | undefined {
  const wrong = values.find((value) => parseIpBlock(value) === undefined)
  return wrong === undefined
    ? undefined
    : `expected an address such as 10.1.2.3 or a block such as 10.1.0.0/16, found ${shown(wrong)}`
}

/** Named ports are refused: they are the Service's, and a policy sees the workload's number. */
export function wrongWithPorts(values: readonly string[]): string | undefined {
  const wrong = values.find((value) => !/^\d{1,10}$/.test(value) || Number(value) > 65_535)
  return wrong === undefined ? undefined : `expected a port of 0 to 65535, found ${shown(wrong)}`
}

export function wrongWithServiceAccounts(values: readonly string[]): string | undefined {
  if (values.length > MAX_SERVICE_ACCOUNTS) {
    return `has ${values.length} service accounts, at most ${MAX_SERVICE_ACCOUNTS} are allowed`
  }
  for (const value of values) {
    if (value.includes('*')) return `a service account has no wildcard, found ${shown(value)}`
    if (value.length > MAX_SERVICE_ACCOUNT_CHARACTERS) {
      return `a service account has at most ${MAX_SERVICE_ACCOUNT_CHARACTERS} characters, found ${value.length}`
    }
    if (!/^([^/]+\/)?[^/]+$/.test(value)) {
      return `expected account or namespace/account, found ${shown(value)}`
    }
  }
  return undefined
}

/** A wildcard stands at one end, and does not reach over a slash. */
export function wrongWithTrustDomains(values: readonly string[]): string | undefined {
  for (const value of values) {
    if (value.includes('/')) return `a trust domain has no slash, found ${shown(value)}`
    if (value.slice(1, -1).includes('*') || value === '**') {
      return `a trust domain may begin or end with *, no more, found ${shown(value)}`
    }
    if (value.length > 1 && value.startsWith('*') && value.endsWith('*')) {
      return `a trust domain may begin or end with *, not both, found ${shown(value)}`
    }
  }
  return undefined
}
