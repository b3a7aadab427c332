/**
 * What a restarted server must know about its authorities: one document in the store, written before
 * anything it says takes effect. A damaged one stops the start; nobody guesses who signs.
 */
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { SlotRecord } from './authorities.ts'
import { createTurns } from './in-turn.ts'
import { decodeJournal, encodeJournal, type JournalDocument } from './journal-document.ts'
import type { JwtSigningKey } from './jwt-signing-key.ts'
import { EMPTY_SLOTS } from './slots.ts'
import type { X509Ca } from './x509-ca.ts'

/** The part of the store that keeps the document. */
export interface JournalStore {
  load(serverKey: string): Promise<Uint8Array | undefined>
  save(serverKey: string, document: Uint8Array): Promise<void>
}

export interface JournalDeps {
  readonly store: JournalStore
  /** Names this server among those that share the store. */
  readonly serverKey: string
  readonly trustDomain: TrustDomain
}

export interface Journal {
  readonly x509: SlotRecord<X509Ca>
  readonly jwt: SlotRecord<JwtSigningKey>
}

/** @throws IdentityError UNAVAILABLE when the document is damaged, CONFIG_INVALID when it is of another trust domain */
export async function openJournal({
  store,
  serverKey,
  trustDomain,
}: JournalDeps): Promise<Journal> {
  const stored = await store.load(serverKey)
  let document: JournalDocument =
    stored === undefined
      ? { trustDomain, x509: EMPTY_SLOTS, jwt: EMPTY_SLOTS }
      : readJournal(stored, serverKey)
  if (document.trustDomain !== trustDomain) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `the database belongs to a server of trust domain ${document.trustDomain}, not ${trustDomain}; use another database`,
    )
  }
  // Both kinds are in one document: each writes on top of what the other wrote before it.
  const inTurn = createTurns('CA journal')
  const save = (change: Partial<JournalDocument>) =>
    inTurn(async () => {
      const next = { ...document, ...change }
      await store.save(serverKey, encodeJournal(next))
      document = next
    })
  return {
    x509: { load: () => document.x509, save: (x509) => save({ x509 }) },
    jwt: { load: () => document.jwt, save: (jwt) => save({ jwt }) },
  }
}

function readJournal(stored: Uint8Array, serverKey: string): JournalDocument {
  try {
    return decodeJournal(stored)
  } catch (error) {
    throw new IdentityError(
      'UNAVAILABLE',
      `the CA journal in the database is damaged (${reasonOf(error).replaceAll(/\s+/g, ' ')}): restore the database, ` +
        `or delete the row ${JSON.stringify(serverKey)} of table ca_journals to let the server make new authorities`,
      { cause: error },
    )
  }
}
