/** Whether a server can go on with the authorities of a journal by some keys: each that signs or will sign must have its own. */
import type { KeyObject } from 'node:crypto'
import { parsePkcs8, spkiOf } from '../../spiffe/key.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import type { JournalDocument } from '../ca/journal-document.ts'
import type { BackupKeys } from './backup-record.ts'

/** @returns the IDs of the prepared and active authorities whose key is not there; the old one needs none any more */
export function authoritiesWithoutKey(
  { x509, jwt }: Pick<JournalDocument, 'x509' | 'jwt'>,
  keys: BackupKeys,
): readonly string[] {
  const wanted = [
    ...[x509.prepared, x509.active]
      .filter((one) => one !== undefined)
      .map((one) => ({
        ...{ id: one.id, keyId: `x509-CA-${one.keySlot}` },
        spki: parseCertificate(one.certificate).spki,
      })),
    ...[jwt.prepared, jwt.active]
      .filter((one) => one !== undefined)
      .map((one) => ({ id: one.id, keyId: `JWT-Signer-${one.keySlot}`, spki: one.publicKey })),
  ]
  return wanted
    .filter(({ keyId, spki }) => {
      const key = readKey(keys.get(keyId))
      return key === undefined || !spkiOf(key).equals(spki)
    })
    .map(({ id }) => id)
}

/** Undefined for what is no key: then it is not there. */
function readKey(pkcs8: Uint8Array | undefined): KeyObject | undefined {
  if (pkcs8 === undefined) return undefined
  try {
    return parsePkcs8(pkcs8)
  } catch {
    return undefined
  }
}
