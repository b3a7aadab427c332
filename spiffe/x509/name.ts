/** X.500 names, as far as certificates of ours have them. @see RFC 5280 §4.1.2.4 */
import { childrenOf, type Element, malformed, oidOf, readOnly, TAG, walk } from './der.ts'
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
const IA5_STRING = 0x16

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

/** The same name with this organizational unit as well, where Go puts it: behind country and organization. */
export function withOrganizationalUnit(name: Uint8Array, unit: string): Buffer {
  const parts = childrenOf(readOnly(name, TAG.sequence))
  const isBefore = (part: Element) =>
    childrenOf(part).some((one) => {
      const kind = oidOf(walk(one).take(TAG.oid))
      return kind === OID.country || kind === OID.organization
    })
  const at = parts.findLastIndex(isBefore) + 1
  const raw = parts.map((part) => part.raw)
  return sequence(
    ...raw.slice(0, at),
    ...relativeName(OID.organizationalUnit, [unit]),
    ...raw.slice(at),
  )
}

/**
 * The common name; of several the last, as Go has it. Undefined when there is none or an empty one.
 * @throws IdentityError CERTIFICATE_MALFORMED for a text of a kind that nobody writes any more
 */
export function commonNameOf(name: Uint8Array): string | undefined {
  let found = ''
  for (const part of childrenOf(readOnly(name, TAG.sequence))) {
    for (const attribute of childrenOf(part)) {
      const [kind, value] = childrenOf(attribute)
      if (kind !== undefined && value !== undefined && oidOf(kind) === OID.commonName) {
        found = textOf(value)
      }
    }
  }
  return found === '' ? undefined : found
}

function textOf({ tag, value }: Element): string {
  if (tag !== TAG.printableString && tag !== TAG.utf8String && tag !== IA5_STRING) {
    throw malformed(
      'it has a common name that is neither PrintableString, UTF8String nor IA5String',
    )
  }
  const text = Buffer.from(value).toString('utf8')
  // What is no UTF-8 would come back as something else, so two names could look like one.
  if (Buffer.compare(Buffer.from(text), value) !== 0) {
    throw malformed('it has a common name that is not UTF-8')
  }
  return text
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
