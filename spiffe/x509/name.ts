/** X.500 names, as far as certificates of ours have them. @see RFC 5280 §4.1.2.4 */
import { childrenOf, oidOf, readOnly, TAG, walk } from './der.ts'
import { encode, oid, sequence, set } from './der-write.ts'
import { OID } from './oid.ts'

export interface NameParts {
  readonly country?: readonly string[]
  readonly organization?: readonly string[]
  readonly commonName?: string | undefined
  readonly serialNumber?: string | undefined
}

/** Characters of PrintableString; anything else is written as UTF-8. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/
/** RFC 5280 appendix A.1 — ub-common-name. */
const MAX_COMMON_NAME_LENGTH = 64

/** Parts in the order of Go; several values of one kind share one part of the name, as there. */
export function encodeName(parts: NameParts): Buffer {
  const { country = [], organization = [], commonName, serialNumber } = parts
  return sequence(
    ...relativeName(OID.country, country),
    ...relativeName(OID.organization, organization),
    ...relativeName(OID.commonName, commonName === undefined ? [] : [commonName]),
    ...relativeName(OID.serialNumber, serialNumber === undefined ? [] : [serialNumber]),
  )
}

/** The subject of SVIDs unless something else is asked for. */
export const SVID_SUBJECT = encodeName({ country: ['US'], organization: ['SPIRE'] })

/** The same name with this common name instead of any other. One too long for a certificate leaves none. */
export function withCommonName(name: Uint8Array, commonName: string): Buffer {
  const kept = childrenOf(readOnly(name, TAG.sequence)).filter(
    (part) => !childrenOf(part).some((one) => oidOf(walk(one).take(TAG.oid)) === OID.commonName),
  )
  const added = commonName.length > MAX_COMMON_NAME_LENGTH ? [] : [commonName]
  return sequence(...kept.map(({ raw }) => raw), ...relativeName(OID.commonName, added))
}

export function isEmptyName(name: Uint8Array): boolean {
  return readOnly(name, TAG.sequence).value.length === 0
}

function relativeName(kind: string, values: readonly string[]): readonly Buffer[] {
  if (values.length === 0) return []
  const attributes = values.map((value) => sequence(oid(kind), text(value)))
  return [set(...attributes.sort(Buffer.compare))]
}

function text(value: string): Buffer {
  return encode(PRINTABLE.test(value) ? TAG.printableString : TAG.utf8String, Buffer.from(value))
}
