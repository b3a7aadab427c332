/**
 * Subject alternative names: the URIs and DNS names, and of which other kinds there are any.
 *
 * @see RFC 5280 §4.2.1.6
 */
import { childrenOf, type Element, malformed, readOnly, TAG } from './der.ts'
import { boolean, encode, octets, oid, sequence } from './der-write.ts'
import { OID } from './oid.ts'

/** Tags of GeneralName. */
export const NAME_FORM = { dns: 0x82, uri: 0x86, ip: 0x87 } as const

export interface AltNames {
  readonly uriSans: readonly string[]
  readonly dnsNames: readonly string[]
  /** 4 or 16 bytes each. */
  readonly ipAddresses: readonly Uint8Array[]
  /** Tags of all forms that occur. */
  readonly nameForms: ReadonlySet<number>
}

export const NO_ALT_NAMES: AltNames = {
  uriSans: [],
  dnsNames: [],
  ipAddresses: [],
  nameForms: new Set(),
}

/** @param extension what the extension's octets hold */
export function parseAltNames(extension: Uint8Array): AltNames {
  const names = childrenOf(readOnly(extension, TAG.sequence))
  if (names.length === 0) throw malformed('it has an empty subject alternative name')
  return {
    uriSans: textsOf(names, NAME_FORM.uri),
    dnsNames: textsOf(names, NAME_FORM.dns),
    ipAddresses: names.filter(({ tag }) => tag === NAME_FORM.ip).map(addressOf),
    nameForms: new Set(names.map(({ tag }) => tag)),
  }
}

/** The extension whole. DNS names come first, as Go writes them. */
export function altNamesExtension(
  { uriSans, dnsNames }: Pick<AltNames, 'uriSans' | 'dnsNames'>,
  isCritical: boolean,
): Buffer {
  const names = [
    ...dnsNames.map((name) => encode(NAME_FORM.dns, asciiBytes(name))),
    ...uriSans.map((uri) => encode(NAME_FORM.uri, asciiBytes(uri))),
  ]
  return isCritical
    ? sequence(SUBJECT_ALT_NAME, boolean(true), octets(sequence(...names)))
    : sequence(SUBJECT_ALT_NAME, octets(sequence(...names)))
}

const SUBJECT_ALT_NAME = oid(OID.subjectAltName)

function addressOf({ value }: Element): Uint8Array {
  if (value.length !== 4 && value.length !== 16) {
    throw malformed(`it has an IP address of ${value.length} bytes`)
  }
  return value
}

function textsOf(names: readonly Element[], form: number): readonly string[] {
  return names.filter(({ tag }) => tag === form).map(({ value }) => asciiText(value))
}

/** Printable ASCII without spaces: a NUL or line break in a name has fooled others before. */
export function asciiText(bytes: Uint8Array): string {
  for (const byte of bytes) {
    if (byte <= 0x20 || byte >= 0x7f) throw malformed('it has a name that is not printable ASCII')
  }
  return Buffer.from(bytes).toString('latin1')
}

function asciiBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  asciiText(bytes)
  return bytes
}
