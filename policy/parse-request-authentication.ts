/**
 * Reads a RequestAuthentication and refuses what Istio's schema and webhook refuse, with every mistake at its field.
 *
 * @see https://istio.io/latest/docs/reference/config/security/request_authentication/
 */
import { readAttachment } from './parse-attachment.ts'
import { refuseDryRun } from './parse-authorization-policy.ts'
import { readInlineKeys } from './read-inline-keys.ts'
import {
  at,
  type Fields,
  fault,
  isAbsent,
  type Reading,
  readEnvelope,
  readFields,
  readList,
  readText,
  readTexts,
  shown,
} from './read-object.ts'
import type {
  ClaimHeader,
  JwtRule,
  KeySource,
  RequestAuthentication,
  TokenHeader,
} from './request-authentication.ts'
import type { Parsed } from './resource.ts'

/** The schema's bounds: entries, and characters of an address. */
const MAX_JWT_RULES = 4096
const MAX_JWKS_URI_CHARACTERS = 2048
const MAX_SPACE_DELIMITED_CLAIMS = 64
/** Ours, in entries: the schema has none. */
const MAX_LOCATIONS = 256

const DEFAULT_TIMEOUT_MS = 5_000
const HEADER_NAME = /^[-_A-Za-z0-9]+$/

const JWT_RULE_FIELDS = [
  'issuer',
  'audiences',
  'jwksUri',
  'jwks',
  'fromHeaders',
  'fromParams',
  'fromCookies',
  'forwardOriginalToken',
  'outputPayloadToHeader',
  'outputClaimToHeaders',
  'timeout',
  'spaceDelimitedClaims',
]

/** `object` is what a YAML or JSON parser, or the Kubernetes API, gave. */
export function parseRequestAuthentication(object: unknown): Parsed<RequestAuthentication> {
  const reading: Reading = { path: '', faults: [], warnings: [] }
  const envelope = readEnvelope(reading, object, 'RequestAuthentication')
  const inside = at(reading, 'spec')
  const spec =
    envelope &&
    readFields(inside, envelope.spec, ['selector', 'targetRef', 'targetRefs', 'jwtRules'])
  if (envelope === undefined || spec === undefined) {
    return { kind: 'faults', faults: reading.faults }
  }
  refuseDryRun(reading, envelope)
  const policy: RequestAuthentication = {
    namespace: envelope.namespace,
    name: envelope.name,
    attachment: readAttachment(inside, spec),
    jwtRules: readList(at(inside, 'jwtRules'), spec.jwtRules, MAX_JWT_RULES, readJwtRule),
  }
  return reading.faults.length > 0
    ? { kind: 'faults', faults: reading.faults }
    : { kind: 'policy', policy, warnings: reading.warnings }
}

function readJwtRule(reading: Reading, value: unknown): JwtRule | undefined {
  const fields = readFields(reading, value, JWT_RULE_FIELDS)
  if (fields === undefined) return undefined
  const texts = (name: string, most: number) => readTexts(at(reading, name), fields[name], most)
  const optional = (name: string) =>
    isAbsent(fields[name]) ? undefined : readText(at(reading, name), fields[name])
  const issuer = optional('issuer')
  const rule: JwtRule = {
    issuer: issuer ?? '',
    audiences: texts('audiences', MAX_LOCATIONS),
    keys: readKeySource(reading, fields),
    fromHeaders: readList(
      at(reading, 'fromHeaders'),
      fields.fromHeaders,
      MAX_LOCATIONS,
      readTokenHeader,
    ),
    fromParams: texts('fromParams', MAX_LOCATIONS),
    fromCookies: texts('fromCookies', MAX_LOCATIONS),
    forwardOriginalToken: readFlag(
      at(reading, 'forwardOriginalToken'),
      fields.forwardOriginalToken,
    ),
    outputPayloadToHeader: optional('outputPayloadToHeader'),
    outputClaimToHeaders: readList(
      at(reading, 'outputClaimToHeaders'),
      fields.outputClaimToHeaders,
      MAX_LOCATIONS,
      readClaimHeader,
    ),
    timeoutMs: readTimeout(at(reading, 'timeout'), fields.timeout),
    spaceDelimitedClaims: texts('spaceDelimitedClaims', MAX_SPACE_DELIMITED_CLAIMS),
  }
  if (issuer === undefined && isAbsent(fields.jwksUri)) {
    fault(reading, 'one of issuer and jwksUri must be set, or any token would do')
  }
  return rule
}

function readKeySource(reading: Reading, fields: Fields): KeySource {
  const { jwks, jwksUri } = fields
  if (!isAbsent(jwks) && !isAbsent(jwksUri)) {
    fault(reading, 'only one of jwks and jwksUri may be set')
  }
  if (!isAbsent(jwks) && jwks !== '') {
    const text = readText(at(reading, 'jwks'), jwks)
    if (text !== undefined) readInlineKeys(at(reading, 'jwks'), text)
    return { kind: 'inline', jwks: text ?? '' }
  }
  if (isAbsent(jwksUri)) return { kind: 'discovery' }
  const inside = at(reading, 'jwksUri')
  const uri = readText(inside, jwksUri)
  if (uri !== undefined && uri.length > MAX_JWKS_URI_CHARACTERS) {
    fault(inside, `has ${uri.length} characters, at most ${MAX_JWKS_URI_CHARACTERS} are allowed`)
  } else if (uri !== undefined && !(/^https?:\/\//.test(uri) && URL.canParse(uri))) {
    fault(inside, `expected an address with http:// or https://, found ${shown(uri)}`)
  }
  return { kind: 'uri', uri: uri ?? '' }
}

function readTokenHeader(reading: Reading, value: unknown): TokenHeader | undefined {
  const fields = readFields(reading, value, ['name', 'prefix'])
  const name = fields && readText(at(reading, 'name'), fields.name)
  if (fields === undefined || name === undefined) return undefined
  if (isAbsent(fields.prefix) || fields.prefix === '') return { name, prefix: '' }
  return { name, prefix: readText(at(reading, 'prefix'), fields.prefix) ?? '' }
}

function readClaimHeader(reading: Reading, value: unknown): ClaimHeader | undefined {
  const fields = readFields(reading, value, ['header', 'claim'])
  if (fields === undefined) return undefined
  const header = readText(at(reading, 'header'), fields.header)
  const claim = readText(at(reading, 'claim'), fields.claim)
  if (header === undefined || claim === undefined) return undefined
  return HEADER_NAME.test(header)
    ? { header, claim }
    : fault(at(reading, 'header'), `expected letters, digits, - and _, found ${shown(header)}`)
}

function readFlag(reading: Reading, value: unknown): boolean {
  if (isAbsent(value)) return false
  if (typeof value === 'boolean') return value
  fault(reading, `expected true or false, found ${shown(value)}`)
  return false
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** Go's form of a duration, e.g. `1m30s`, of at least a millisecond. */
function readTimeout(reading: Reading, value: unknown): number {
  if (isAbsent(value)) return DEFAULT_TIMEOUT_MS
  const text = typeof value === 'string' ? value : ''
  const parts = /^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)
    ? [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)]
    : []
  const ms = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  )
  if (ms >= 1) return ms
  fault(reading, `expected a duration of at least 1ms, such as 5s, found ${shown(value)}`)
  return DEFAULT_TIMEOUT_MS
}
