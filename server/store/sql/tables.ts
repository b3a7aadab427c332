/** Rows of the tables as they are after all migrations. */

/** What a column takes and gives. Other kinds are written as one of these: times as unix seconds, booleans as 0 and 1. */
export type SqlValue = string | number | Uint8Array | null

export interface EntryRow {
  /** Grows with creation: the key lists go on from. */
  readonly row: number
  readonly id: string
  readonly spiffe_id: string
  readonly parent_id: string
  /** JSON list of strings. */
  readonly selectors: string
  /** Digest of SPIFFE ID, parent and selector set: equal for similar entries. */
  readonly similarity: string
  readonly x509_svid_ttl_seconds: number
  readonly jwt_svid_ttl_seconds: number
  /** JSON list of strings. */
  readonly federates_with: string
  readonly admin: number
  readonly downstream: number
  readonly expires_at: number | null
  /** JSON list of strings. */
  readonly dns_names: string
  readonly store_svid: number
  readonly hint: string
  readonly disable_x509_svid_prefetch: number
  readonly jwt_svid_include_jti: number
  readonly revision_number: number
  readonly created_at: number
}

export interface NodeRow {
  readonly row: number
  readonly id: string
  readonly attestation_type: string
  readonly serial_number: string
  readonly expires_at: number
  readonly new_serial_number: string
  readonly new_expires_at: number | null
  readonly can_reattest: number
  /** JSON list of strings. */
  readonly selectors: string
  readonly agent_version: string
}

export interface BundleRow {
  readonly trust_domain: string
  /** JSON, see `bundle-document.ts`. */
  readonly document: string
}

export interface FederationRow {
  readonly trust_domain: string
  readonly endpoint_url: string
  readonly profile: string
  /** Null with the profile `https_web`. */
  readonly endpoint_spiffe_id: string | null
}
