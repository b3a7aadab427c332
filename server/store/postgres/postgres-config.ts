/** Where a PostgreSQL is and how it is connected to, as plain data: what the configuration says, read and checked. */

/** libpq's modes. Over a Unix socket there is no TLS, whatever the mode. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

export interface PostgresHost {
  /** A name, an address, or the directory of a socket when it begins with `/`. */
  readonly host: string
  readonly port: number
}

export interface PostgresTls {
  readonly mode: SslMode
  /** PEM text; undefined: nothing was given. `system`: the certificate authorities of the machine. */
  readonly roots:
    | { readonly kind: 'pem'; readonly pem: string }
    | { readonly kind: 'system' }
    | undefined
  /** PEM texts of what this end shows. */
  readonly client: { readonly certificate: string; readonly key: string } | undefined
}

export interface PostgresTarget {
  /** Tried in order until one answers; at least one. */
  readonly hosts: readonly PostgresHost[]
  readonly user: string
  /** A secret. Undefined: PGPASSWORD or the password file, as libpq reads them. */
  readonly password: string | undefined
  readonly database: string
  readonly applicationName: string
  /** Settings for each session, e.g. `-c search_path=spire`. */
  readonly options: string | undefined
  /** `primary`: hosts that are standbys are passed over. */
  readonly wants: 'any' | 'primary'
  readonly connectTimeoutMs: number
  readonly tls: PostgresTls
}

export interface PostgresConfig {
  readonly kind: 'postgres'
  readonly primary: PostgresTarget
  /** For reads that may lag behind; undefined: they go to the primary too. */
  readonly readOnly: PostgresTarget | undefined
  /** For each of the two. */
  readonly maxOpenConnections: number
  readonly maxIdleConnections: number
  /** Undefined: as long as it works. */
  readonly connectionLifeMs: number | undefined
  readonly migrates: boolean
  readonly logsSql: boolean
}
