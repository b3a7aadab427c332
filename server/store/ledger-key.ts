/**
 * Beside the CA journal of a server, in the same table, stands the word on the last run of its signing ledger: under a key
 * that the server's own begins.
 */

const SUFFIX = '/signing-ledger'

export const ledgerKeyOf = (serverKey: string): string => `${serverKey}${SUFFIX}`

export const isLedgerKey = (key: string): boolean => key.endsWith(SUFFIX)
