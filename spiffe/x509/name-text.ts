/** X.500 names as people read them, last part first. @see RFC 2253 */
import { childrenOf, type Element, oidOf, readOnly, TAG } from './der.ts'
import { OID } from './oid.ts'

const SHORT_NAMES: Readonly<Record<string, string>> = {
  [OID.commonName]: 'CN',
  [OID.serialNumber]: 'SERIALNUMBER',
  [OID.country]: 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  [OID.organization]: 'O',
  [OID.organizationalUnit]: 'OU',
  '2.5.4.17': 'POSTALCODE',
}
const IA5_STRING = 0x16
const TEXTS: ReadonlySet<number> = new Set([TAG.printableString, TAG.utf8String, IA5_STRING])

/** @param name DER. What has no short name, or is no text, stands there in hexadecimal. */
export function nameText(name: Uint8Array): string {
  const parts = childrenOf(readOnly(name, TAG.sequence))
  return parts
    .toReversed()
    .map((part) => childrenOf(part).map(attributeText).join('+'))
    .join(',')
}

function attributeText(attribute: Element): string {
  const [kind, value] = childrenOf(attribute)
  if (kind === undefined || value === undefined) return ''
  const id = oidOf(kind)
  const short = SHORT_NAMES[id]
  if (short === undefined || !TEXTS.has(value.tag)) {
    return `${short ?? id}=#${Buffer.from(value.raw).toString('hex')}`
  }
  return `${short}=${escaped(Buffer.from(value.value).toString('utf8'))}`
}

function escaped(text: string): string {
  return text.replaceAll(/[,+"\\<>;]|^[ #]| $/g, '\\$&')
}
