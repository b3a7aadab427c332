/** Reading the fields of our custom resources: each is what it says or a refusal that names it. */
import { parseDurationMs } from '../../config/duration.ts'
import { isRecord } from '../../kubernetes/object.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { parseTrustDomainName } from '../entries/member-id.ts'

/** Items of any list in a spec. */
const MAX_ITEMS = 1_000

export function specRefusal(why: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', why)
}

/** Puts the name of the field before what is wrong with it. */
export function inField<T>(field: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new IdentityError(error.code, `invalid ${field}: ${error.message}`, { cause: error })
  }
}

/** Empty when there is none. */
export function textField(spec: unknown, field: string): string {
  const value = valueAt(spec, field)
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw specRefusal(`${field} is no text`)
}

export function truthField(spec: unknown, field: string): boolean {
  const value = valueAt(spec, field)
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  throw specRefusal(`${field} is neither true nor false`)
}

export function textsField(spec: unknown, field: string): readonly string[] {
  const value = valueAt(spec, field)
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw specRefusal(`${field} is no list`)
  if (value.length > MAX_ITEMS) throw specRefusal(`${field} has more than ${MAX_ITEMS} items`)
  return value.map((item) => {
    if (typeof item === 'string') return item
    throw specRefusal(`${field} has an item that is no text`)
  })
}

/** A Go duration in whole seconds, cut off as upstream does; 0 when there is none. */
export function secondsField(spec: unknown, field: string): number {
  const text = textField(spec, field)
  if (text === '') return 0
  const ms = durationMs(field, text)
  const seconds = Math.trunc(ms / 1_000)
  if (seconds < 0) throw specRefusal(`invalid ${field}: ${text} is negative`)
  if (seconds === 0 && ms > 0) throw specRefusal(`invalid ${field}: ${text} is less than a second`)
  return seconds
}

function durationMs(field: string, text: string): number {
  try {
    return parseDurationMs(text)
  } catch (error) {
    throw specRefusal(`invalid ${field}: ${reasonOf(error)}`)
  }
}

export function trustDomainsField(spec: unknown, field: string): readonly TrustDomain[] {
  return textsField(spec, field).map((name) => inField(field, () => parseTrustDomainName(name)))
}

function valueAt(spec: unknown, field: string): unknown {
  return isRecord(spec) ? spec[field] : undefined
}
