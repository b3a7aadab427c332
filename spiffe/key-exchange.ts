/** The key exchanges that every TLS connection of ours offers and takes, in the form of Node's `ecdhCurve`. */

/** Hybrid post-quantum first; the rest in the order of Node's own default. */
export const KEY_EXCHANGE_GROUPS = 'X25519MLKEM768:X25519:P-256:P-384'

/** What SPIRE offers under `require_pq_kem`. */
export const PQ_KEY_EXCHANGE_GROUPS = 'X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024'
