/**
 * The extensions of a certificate that a decision rests on. Whatever is critical and not read here is reported,
 * so that a certificate which demands more than we understand is not trusted.
 *
 * @see RFC 5280 §4.2
 */
import {
  bigintOf,
  bitsOf,
  booleanOf,
  childrenOf,
  type Element,
  malformed,
  octetsOf,
  oidOf,
  readOnly,
  TAG,
  walk,
} from './der.ts'
import { type AltNames, NO_ALT_NAMES, parseAltNames } from './general-names.ts'
import { OID } from './oid.ts'

/** Bits of the KeyUsage extension, by position. @see RFC 5280 §4.2.1.3 */
const KEY_USAGES = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

export type KeyUsage = (typeof KEY_USAGES)[number]

export interface Extensions extends AltNames {
  readonly isCa: boolean
  /** How many more CA certificates may follow below; undefined without limit. */
  readonly pathLength: number | undefined
  /** undefined when the extension is absent. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined
  readonly isKeyUsageCritical: boolean
  /** Dotted OIDs; undefined when the extension is absent. */
  readonly extKeyUsage: readonly string[] | undefined
  readonly isAltNameCritical: boolean
  /** Lower-case hex. */
  readonly subjectKeyId: string | undefined
  /** Lower-case hex. */
  readonly authorityKeyId: string | undefined
  /** DER, unread. */
  readonly nameConstraints: Uint8Array | undefined
  /** Critical extensions that are not understood here. */
  readonly unhandledCritical: readonly string[]
}

interface Extension {
  readonly critical: boolean
  readonly value: Uint8Array
}

/** nameConstraints are read where paths are judged; its presence alone is no reason to refuse. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.subjectKeyIdentifier,
  OID.keyUsage,
  OID.subjectAltName,
  OID.basicConstraints,
  OID.nameConstraints,
  OID.authorityKeyIdentifier,
  OID.extKeyUsage,
])

const KEY_IDENTIFIER = 0x80

/** @param list the SEQUENCE of extensions; undefined when a certificate has none */
export function readExtensions(list: Element | undefined): Extensions {
  const found = list === undefined ? new Map<string, Extension>() : listExtensions(list)
  const read = <T>(id: string, parse: (value: Uint8Array) => T): T | undefined => {
    const extension = found.get(id)
    return extension === undefined ? undefined : parse(extension.value)
  }
  return {
    ...(read(OID.basicConstraints, parseBasicConstraints) ?? NOT_A_CA),
    ...(read(OID.subjectAltName, parseAltNames) ?? NO_ALT_NAMES),
    keyUsage: read(OID.keyUsage, parseKeyUsage),
    isKeyUsageCritical: found.get(OID.keyUsage)?.critical ?? false,
    extKeyUsage: read(OID.extKeyUsage, (value) =>
      childrenOf(readOnly(value, TAG.sequence)).map(oidOf),
    ),
    isAltNameCritical: found.get(OID.subjectAltName)?.critical ?? false,
    subjectKeyId: read(OID.subjectKeyIdentifier, (value) =>
      hex(octetsOf(readOnly(value, TAG.octetString))),
    ),
    authorityKeyId: read(OID.authorityKeyIdentifier, parseAuthorityKeyId),
    nameConstraints: found.get(OID.nameConstraints)?.value,
    unhandledCritical: [...found]
      .filter(([id, { critical }]) => critical && !UNDERSTOOD.has(id))
      .map(([id]) => id),
  }
}

const NOT_A_CA = { isCa: false, pathLength: undefined }

function listExtensions(list: Element): Map<string, Extension> {
  const found = new Map<string, Extension>()
  for (const one of childrenOf(list)) {
    const fields = walk(one)
    const id = oidOf(fields.take(TAG.oid))
    const flag = fields.maybe(TAG.boolean)
    const value = octetsOf(fields.take(TAG.octetString))
    fields.end()
    if (found.has(id)) throw malformed(`it has the extension ${id} twice`)
    found.set(id, { critical: flag !== undefined && booleanOf(flag), value })
  }
  return found
}

function parseBasicConstraints(value: Uint8Array): Pick<Extensions, 'isCa' | 'pathLength'> {
  const fields = walk(readOnly(value, TAG.sequence))
  const flag = fields.maybe(TAG.boolean)
  const length = fields.maybe(TAG.integer)
  fields.end()
  return {
    isCa: flag !== undefined && booleanOf(flag),
    pathLength: length === undefined ? undefined : Number(bigintOf(length)),
  }
}

function parseKeyUsage(value: Uint8Array): ReadonlySet<KeyUsage> {
  const { bytes } = bitsOf(readOnly(value, TAG.bitString))
  const isSet = (position: number) => ((bytes[position >> 3] ?? 0) & (0x80 >> (position & 7))) !== 0
  return new Set(KEY_USAGES.filter((_, position) => isSet(position)))
}

function parseAuthorityKeyId(value: Uint8Array): string | undefined {
  const parts = childrenOf(readOnly(value, TAG.sequence))
  const keyId = parts.find(({ tag }) => tag === KEY_IDENTIFIER)
  return keyId === undefined ? undefined : hex(keyId.value)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
