/**
 * What no two servers share is put away by rule, and by nothing but these rules: random names get the number of their
 * first appearance, certificates and tokens are told by what they say, times are kept to be compared with a tolerance.
 */
import 'reflect-metadata'
import { createHash, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { Message } from './methods.ts'
import type { Outcome } from './wire-call.ts'

/** Times and durations in seconds: two servers are asked one after the other. */
const TIMES = new Set([
  'created_at',
  'expires_at',
  'issued_at',
  'x509svid_expires_at',
  'uptime',
  'iat',
  'exp',
  'notBefore',
  'notAfter',
])
const TOLERANCE_SECONDS = 30

/** Fields that servers fill with what they have made up, each kind numbered apart. */
const RANDOM_FIELDS = new Map([
  ['authority_id', 'authority'],
  ['key_id', 'authority'],
  ['kid', 'authority'],
  ['x509svid_serial_number', 'serial'],
  ['jti', 'jti'],
])
const OWN = 'example.org'
const SETS = new Set(['federates_with'])
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
/** Shorter values are words rather than random. */
const MIN_RANDOM_LENGTH = 16

/** The made-up values of one server. */
export interface Aliases {
  /** The alias of a value; a new one when it has not been seen. */
  of(kind: string, value: string): string
  /** How much more it is than the first that was asked for. */
  sinceFirst(count: number): number
  /** Puts aliases for all values that have been seen. */
  in(text: string): string
}

/** @param given bytes that the stories bring themselves, by name */
export function createAliases(given: Readonly<Record<string, Uint8Array>>): Aliases {
  const known = new Map(
    Object.entries(given).map(([name, bytes]) => [digestOf(bytes), `bytes of ${name}`]),
  )
  const counts = new Map<string, number>()
  let first: number | undefined
  return {
    sinceFirst(count) {
      first ??= count
      return count - first
    },
    of(kind, value) {
      const alias = known.get(value)
      if (alias !== undefined) return alias
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      known.set(value, `${kind}#${count}`)
      return `${kind}#${count}`
    },
    in(text) {
      let settled = text
      for (const [value, alias] of known) settled = settled.replaceAll(value, alias)
      return settled.replace(UUID, (uuid) => this.of('uuid', uuid))
    },
  }
}

/** @returns plain data, to be compared with that of the other server */
export function settle(outcome: Outcome, aliases: Aliases): Message {
  const replies = settleValue('replies', outcome.replies, aliases)
  const { code } = outcome
  const message = aliases.in(outcome.message)
  return { code, message, details: settleValue('details', outcome.details, aliases), replies }
}

function settleValue(field: string, value: unknown, aliases: Aliases): unknown {
  if (Buffer.isBuffer(value)) return settleBytes(value, aliases)
  // Sets: SPIRE lists the trust domains of an entry in the order in which it met their bundles.
  if (SETS.has(field) && Array.isArray(value)) return value.toSorted()
  if (Array.isArray(value)) return value.map((one) => settleValue(field, one, aliases))
  if (typeof value === 'string') return settleText(field, value, aliases)
  if (typeof value !== 'object' || value === null) return value
  const settled = Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, settleValue(name, one, aliases)]),
  )
  return { ...settled, ...settleSequence(settled, aliases) }
}

/** SPIRE counts the changes of its own bundle from 0, and we from 1: what counts is how far it has got since. */
function settleSequence({ trust_domain, sequence_number }: Message, aliases: Aliases): Message {
  if (trust_domain !== OWN || typeof sequence_number !== 'number' || sequence_number === 0)
    return {}
  return { sequence_number: `first + ${aliases.sinceFirst(sequence_number)}` }
}

function settleText(field: string, value: string, aliases: Aliases): unknown {
  if (field === 'next_page_token') return value === '' ? '' : 'TOKEN'
  if (field === 'token' && /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/.test(value)) {
    return settleJwt(value, aliases)
  }
  const kind = RANDOM_FIELDS.get(field)
  if (kind !== undefined && value.length >= MIN_RANDOM_LENGTH) return aliases.of(kind, value)
  return aliases.in(field === 'subject' ? withoutSerial(value) : value)
}

/** The serial number in the name of an authority is random. */
function withoutSerial(name: string): string {
  return name.replace(/serialNumber=\d+/i, 'serialNumber=RANDOM')
}

function settleJwt(token: string, aliases: Aliases): unknown {
  const [header, claims] = token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  return { header: settleValue('', header, aliases), claims: settleValue('', claims, aliases) }
}

function settleBytes(bytes: Buffer, aliases: Aliases): unknown {
  const certificate = certificateIn(bytes)
  if (certificate !== undefined) return certificate
  if (bytes.length <= 64) return bytes.toString('hex')
  return aliases.of('bytes', digestOf(bytes))
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function certificateIn(der: Buffer): unknown {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(der)
  } catch {
    return undefined
  }
  const unixSeconds = (text: string) => Math.floor(Date.parse(text) / 1000)
  const name = (text: string) => withoutSerial(text ?? '')
  return {
    subject: name(certificate.subject),
    issuer: name(certificate.issuer),
    sans: certificate.subjectAltName,
    isCa: certificate.ca,
    extendedKeyUsage: certificate.keyUsage,
    key: [certificate.publicKey.asymmetricKeyType, certificate.publicKey.asymmetricKeyDetails],
    extensions: extensionsOf(der),
    notBefore: unixSeconds(certificate.validFrom),
    notAfter: unixSeconds(certificate.validTo),
  }
}

/** Which there are, in their order, and which of them nobody may pass over. */
function extensionsOf(der: Buffer): readonly string[] {
  return new x509.X509Certificate(der).extensions.map(
    ({ type, critical }) => `${type}${critical ? ' critical' : ''}`,
  )
}

/** Where two settled values differ. */
export interface Difference {
  /** Of the value, e.g. `replies.0.results.1.status.message`. */
  readonly at: string
  readonly theirs: unknown
  readonly ours: unknown
}

export function differencesOf(theirs: unknown, ours: unknown, at = ''): readonly Difference[] {
  if (Object.is(theirs, ours)) return []
  const field = at.split('.').at(-1) ?? ''
  if (typeof theirs === 'number' && typeof ours === 'number' && TIMES.has(field)) {
    const areBothSet = field === 'uptime' || (theirs !== 0 && ours !== 0) // 0 means unset, but one may just have started
    const isAlike = areBothSet && Math.abs(theirs - ours) <= TOLERANCE_SECONDS
    return isAlike ? [] : [{ at, theirs, ours }]
  }
  if (!isTree(theirs) || !isTree(ours) || Array.isArray(theirs) !== Array.isArray(ours)) {
    return [{ at, theirs, ours }]
  }
  const names = new Set([...Object.keys(theirs), ...Object.keys(ours)])
  return [...names].flatMap((name) =>
    differencesOf(theirs[name], ours[name], at === '' ? name : `${at}.${name}`),
  )
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
