/**
 * Rows of the table of CA journals. Beside each journal the table has the word on the last run of a server's signing
 * ledger: that is not backed up, so that no ledger is believed after a restore, because it could lack signatures.
 */
import type { DumpRow, DumpValue } from '../store/dump.ts'
import { isLedgerKey } from '../store/ledger-key.ts'

export interface JournalRow {
  readonly serverKey: string
  readonly document: Uint8Array
  readonly savedAt: DumpValue
}

/** @returns undefined for a row that is no CA journal */
export function journalOf({ table, values }: DumpRow): JournalRow | undefined {
  const [serverKey, document, savedAt = null] = values
  if (table !== 'ca_journals' || typeof serverKey !== 'string' || isLedgerKey(serverKey)) {
    return undefined
  }
  return document instanceof Uint8Array ? { serverKey, document, savedAt } : undefined
}
