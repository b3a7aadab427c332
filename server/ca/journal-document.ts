/**
 * The CA journal as bytes, there and back: which authority is in which slot. It holds no key; keys are
 * found in the key store by kind and slot. A document that is damaged in any way is refused whole.
 */
import { z } from 'zod'
import { fromUnixSeconds, unixSeconds } from '../../spiffe/clock.ts'
import type { JwtSigningKey } from './jwt-signing-key.ts'
import type { Slots } from './slots.ts'
import { notBeforeOf } from './validity.ts'
import { readX509Ca, type UpstreamLink, type X509Ca } from './x509-ca.ts'

export interface JournalDocument {
  readonly trustDomain: string
  readonly x509: Slots<X509Ca>
  readonly jwt: Slots<JwtSigningKey>
}

const MAX_UNIX_SECONDS = 8_640_000_000_000
const MAX_ID_LENGTH = 128
/** Nested servers need one for each level. */
const MAX_INTERMEDIATES = 16

const common = {
  keySlot: z.enum(['A', 'B']),
  authorityId: z.string().min(1).max(MAX_ID_LENGTH),
  issuedAt: z.int().min(0).max(MAX_UNIX_SECONDS),
}

const bytes = z
  .base64()
  .min(1)
  .transform((text) => new Uint8Array(Buffer.from(text, 'base64')))

const upstream = z.strictObject({
  intermediates: z.array(bytes).max(MAX_INTERMEDIATES),
  authorityId: z.string().min(1).max(MAX_ID_LENGTH),
})

const x509Ca = z
  .strictObject({ ...common, certificate: bytes, upstream: upstream.optional() })
  .transform(({ keySlot, authorityId, issuedAt, certificate, upstream: link }) => {
    const ca = readX509Ca(certificate, keySlot, fromUnixSeconds(issuedAt), link)
    if (ca.id !== authorityId) throw new Error(`certificate of ${ca.id} stands for ${authorityId}`)
    return ca
  })

const jwtSigningKey = z
  .strictObject({
    ...common,
    expiresAt: z.int().min(0).max(MAX_UNIX_SECONDS),
    publicKey: bytes,
  })
  .transform(
    ({ keySlot, authorityId, issuedAt, expiresAt, publicKey }): JwtSigningKey => ({
      id: authorityId,
      keySlot,
      issuedAt: fromUnixSeconds(issuedAt),
      notBefore: notBeforeOf(fromUnixSeconds(issuedAt)),
      expiresAt: fromUnixSeconds(expiresAt),
      publicKey,
    }),
  )

const journal = z.strictObject({
  version: z.literal(1),
  trustDomain: z.string(),
  x509: slotsOf(x509Ca),
  jwt: slotsOf(jwtSigningKey),
})

/** @throws any error, when the bytes are not what `encodeJournal` wrote */
export function decodeJournal(document: Uint8Array): JournalDocument {
  const { trustDomain, x509, jwt } = journal.parse(JSON.parse(Buffer.from(document).toString()))
  return { trustDomain, x509, jwt }
}

export function encodeJournal({ trustDomain, x509, jwt }: JournalDocument): Uint8Array {
  const document: z.input<typeof journal> = {
    version: 1,
    trustDomain,
    x509: mapSlots(x509, (ca) => ({
      keySlot: ca.keySlot,
      authorityId: ca.id,
      issuedAt: unixSeconds(ca.issuedAt),
      certificate: Buffer.from(ca.certificate).toString('base64'),
      ...(ca.upstream === undefined ? {} : { upstream: writeLink(ca.upstream) }),
    })),
    jwt: mapSlots(jwt, (key) => ({
      keySlot: key.keySlot,
      authorityId: key.id,
      issuedAt: unixSeconds(key.issuedAt),
      expiresAt: unixSeconds(key.expiresAt),
      publicKey: Buffer.from(key.publicKey).toString('base64'),
    })),
  }
  return Buffer.from(JSON.stringify(document))
}

function writeLink({ intermediates, authorityId }: UpstreamLink) {
  const base64 = intermediates.map((der) => Buffer.from(der).toString('base64'))
  return { intermediates: base64, authorityId }
}

function slotsOf<T extends z.ZodType>(authority: T) {
  const slot = authority.optional()
  return z
    .strictObject({ prepared: slot, active: slot, old: slot })
    .transform(({ prepared, active, old }) => ({ prepared, active, old }))
}

function mapSlots<A, B>(
  { prepared, active, old }: { readonly prepared: A; readonly active: A; readonly old: A },
  write: (authority: NonNullable<A>) => B,
) {
  const mapped = (authority: A) => (authority ? write(authority) : undefined)
  return { prepared: mapped(prepared), active: mapped(active), old: mapped(old) }
}
