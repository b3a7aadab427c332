/**
 * PKCS#10 certificate signing requests: read by a short DER walk (the hot path of issuing), written for agents
 * and the command line. A request vouches for nothing but that its maker holds the key.
 *
 * @see RFC 2986
 */
import type { KeyObject } from 'node:crypto'
import { IdentityError, reasonOf } from '../error.ts'
import { parseSpki, spkiOf } from '../key.ts'
import {
  bigintOf,
  bitStringOf,
  childrenOf,
  type Element,
  malformed,
  octetsOf,
  oidOf,
  readOnly,
  TAG,
  walk,
} from './der.ts'
import { bits, encode, integer, oid, sequence, set } from './der-write.ts'
import { type AltNames, altNamesExtension, NO_ALT_NAMES, parseAltNames } from './general-names.ts'
import { SVID_SUBJECT } from './name.ts'
import { OID } from './oid.ts'
import { kindOfKey } from './public-key.ts'
import { isSignedBy, isSignedByElsewhere, signerOf } from './signature.ts'

export interface Csr {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** @throws IdentityError CSR_INVALID when it is no point of its curve */
  readonly publicKey: KeyObject
  /** Subject name, DER. */
  readonly subject: Uint8Array
  readonly uriSans: readonly string[]
  readonly dnsNames: readonly string[]
  /** Tags of all forms of name that occur among the alternative names; see `NAME_FORM`. */
  readonly nameForms: ReadonlySet<number>
  /** Dotted OIDs of the extensions that are asked for. */
  readonly extensions: readonly string[]
  /** Whether whoever made the request holds the key. @throws IdentityError CSR_INVALID like `publicKey` */
  verify(): boolean
  /** As `verify`, computed by another thread. @throws IdentityError at once, as `verify` */
  verifyElsewhere(): Promise<boolean>
}

const MAX_CSR_BYTES = 16 * 1024
const ATTRIBUTES = 0xa0

/** @throws IdentityError CSR_INVALID, also for a key that is too small or of an unknown kind */
export function parseCsr(der: Uint8Array): Csr {
  return refuseAsCsr(() => {
    if (der.length > MAX_CSR_BYTES) throw malformed(`it is longer than ${MAX_CSR_BYTES} bytes`)
    return readCsr(der)
  })
}

function refuseAsCsr<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw new IdentityError('CSR_INVALID', `malformed CSR: ${reasonOf(cause)}`, { cause })
  }
}

function readCsr(der: Uint8Array): Csr {
  const outer = walk(readOnly(der, TAG.sequence))
  const info = outer.take(TAG.sequence)
  const algorithm = outer.take(TAG.sequence).raw
  const signature = bitStringOf(outer.take(TAG.bitString))
  outer.end()
  const fields = walk(info)
  if (bigintOf(fields.take(TAG.integer)) !== 0n) throw malformed('it is not of version 1')
  const subject = fields.take(TAG.sequence).raw
  const spki = fields.take(TAG.sequence).raw
  const { names, extensions } = requestedExtensions(fields.take(ATTRIBUTES))
  const { uriSans, dnsNames, nameForms } = names
  fields.end()
  kindOfKey(spki)
  // Importing the key costs ten times the rest; who does not need it does not pay.
  let imported: KeyObject | undefined
  const publicKey = () => {
    imported ??= refuseAsCsr(() => parseSpki(spki))
    return imported
  }
  return {
    spki,
    get publicKey() {
      return publicKey()
    },
    subject,
    ...{ uriSans, dnsNames, nameForms, extensions },
    verify: () => isSignedBy(publicKey(), algorithm, info.raw, signature),
    verifyElsewhere: () => isSignedByElsewhere(publicKey(), algorithm, info.raw, signature),
  }
}

interface Requested {
  readonly names: AltNames
  readonly extensions: readonly string[]
}

function requestedExtensions(attributes: Element): Requested {
  const requests = childrenOf(attributes).filter(
    (attribute) => oidOf(walk(attribute).take(TAG.oid)) === OID.extensionRequest,
  )
  const [request] = requests
  if (request === undefined) return { names: NO_ALT_NAMES, extensions: [] }
  if (requests.length > 1) throw malformed('it asks for extensions twice')
  const fields = walk(request)
  fields.take(TAG.oid)
  const values = walk(fields.take(TAG.set))
  fields.end()
  const found = childrenOf(values.take(TAG.sequence))
  values.end()
  return {
    names: found.map(altNamesOf).find((names) => names !== undefined) ?? NO_ALT_NAMES,
    extensions: found.map((extension) => oidOf(walk(extension).take(TAG.oid))),
  }
}

function altNamesOf(extension: Element): AltNames | undefined {
  const fields = walk(extension)
  const id = oidOf(fields.take(TAG.oid))
  fields.maybe(TAG.boolean)
  const value = octetsOf(fields.take(TAG.octetString))
  fields.end()
  return id === OID.subjectAltName ? parseAltNames(value) : undefined
}

export interface CsrOptions {
  /** Private. */
  readonly key: KeyObject
  readonly uriSans?: readonly string[]
  readonly dnsNames?: readonly string[]
  /** DER name; C=US, O=SPIRE when left out. */
  readonly subject?: Uint8Array
}

/** @returns DER, signed with SHA-256, or with SHA-384 for a P-384 key */
export function createCsr(options: CsrOptions): Buffer {
  const { key, uriSans = [], dnsNames = [], subject = SVID_SUBJECT } = options
  const request =
    uriSans.length + dnsNames.length === 0
      ? []
      : [
          sequence(
            oid(OID.extensionRequest),
            set(sequence(altNamesExtension({ uriSans, dnsNames }, false))),
          ),
        ]
  const { identifier, sign } = signerOf(key)
  const info = sequence(integer(Buffer.of(0)), subject, spkiOf(key), encode(ATTRIBUTES, ...request))
  return sequence(info, identifier, bits(sign(info)))
}
