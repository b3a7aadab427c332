/**
 * Signs every SVID this server gives out. Fails closed: without a usable authority nothing is signed, and
 * an ID of another trust domain, or of another role than the one asked for, is never signed at all.
 *
 * @see SPIRE behaviour §6 — certificates and tokens
 */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import {
  isAgentId,
  isReserved,
  pathOf,
  type SpiffeId,
  serverId,
  type TrustDomain,
  trustDomainOf,
} from '../../spiffe/id.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { JwtSigningKey } from '../ca/jwt-signing-key.ts'
import type { X509Ca } from '../ca/x509-ca.ts'
import { type DownstreamCaRequest, type IssuedX509Ca, signDownstreamCa } from './downstream-ca.ts'
import { type IssuedJwtSvid, type JwtSvidRequest, signJwtSvidWith } from './jwt-svid.ts'
import { type IssuedX509Svid, x509SvidSigner } from './x509-svid.ts'

export interface IssuerOptions {
  readonly trustDomain: TrustDomain
  readonly defaultX509SvidTtlSeconds: number
  readonly defaultJwtSvidTtlSeconds: number
  /** Undefined: as `defaultX509SvidTtlSeconds`. */
  readonly agentTtlSeconds: number | undefined
  readonly caTtlSeconds: number
  /** The `iss` claim; undefined leaves it out. */
  readonly jwtIssuer: string | undefined
}

export interface IssuerDeps {
  readonly x509: Pick<Authorities<X509Ca>, 'signer'>
  /** Undefined while JWT-SVIDs are disabled. */
  readonly jwt: Pick<Authorities<JwtSigningKey>, 'signer'> | undefined
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

export interface WorkloadX509SvidRequest {
  /** SubjectPublicKeyInfo, DER. Whoever asks has proven to have the private key. */
  readonly spki: Uint8Array
  readonly id: SpiffeId
  /** The first one becomes the common name. */
  readonly dnsNames: readonly string[]
  /** 0 for the default. */
  readonly ttlSeconds: number
  /** Undefined: it is minted, for whomever. */
  readonly heldBy?: { readonly agentId: SpiffeId; readonly entryId: string }
  /** DER name; the default subject is taken when it is absent or empty. */
  readonly subject?: Uint8Array
}

export interface ServerX509SvidRequest extends Pick<WorkloadX509SvidRequest, 'spki'> {
  readonly dnsNames?: readonly string[]
}

/** All throw IdentityError UNAVAILABLE while there is no authority, and end no later than the authority does. */
export interface Issuer {
  issueWorkloadX509Svid(request: WorkloadX509SvidRequest): Promise<IssuedX509Svid>
  issueAgentX509Svid(request: Pick<WorkloadX509SvidRequest, 'spki' | 'id'>): Promise<IssuedX509Svid>
  /** For this server itself; with DNS names for ports whose clients know it by those. */
  issueServerX509Svid(request: ServerX509SvidRequest): Promise<IssuedX509Svid>
  /** For another server of this trust domain, which signs with it what it likes. */
  issueDownstreamCa(request: DownstreamCaRequest): Promise<IssuedX509Ca>
  /** @throws IdentityError NOT_IMPLEMENTED while JWT-SVIDs are disabled */
  issueJwtSvid(request: JwtSvidRequest): Promise<IssuedJwtSvid>
}

export function createIssuer(options: IssuerOptions, deps: IssuerDeps): Issuer {
  const { trustDomain, defaultX509SvidTtlSeconds, defaultJwtSvidTtlSeconds, jwtIssuer } = options
  const { x509, jwt, clock, randomBytes } = deps
  const signX509Svid = x509SvidSigner({ authorities: x509, clock, randomBytes })
  const ofRole = (id: SpiffeId, role: 'an agent' | 'a workload') => {
    const fits = role === 'an agent' ? isAgentId(id) : !isReserved(id) && pathOf(id) !== ''
    if (fits && trustDomainOf(id) === trustDomain) return id
    throw new Error(`${id} is not the ID of ${role} of trust domain ${trustDomain}`)
  }
  return {
    issueWorkloadX509Svid: async ({ spki, id, dnsNames, ttlSeconds, subject }) =>
      signX509Svid({
        spki,
        id: ofRole(id, 'a workload'),
        dnsNames,
        subject,
        ttlSeconds: ttlSeconds === 0 ? defaultX509SvidTtlSeconds : ttlSeconds,
      }),
    issueAgentX509Svid: async ({ spki, id }) =>
      signX509Svid({
        spki,
        id: ofRole(id, 'an agent'),
        ttlSeconds: options.agentTtlSeconds ?? defaultX509SvidTtlSeconds,
      }),
    issueServerX509Svid: async ({ spki, dnsNames = [] }) =>
      signX509Svid({
        ...{ spki, dnsNames, id: serverId(trustDomain) },
        ttlSeconds: defaultX509SvidTtlSeconds,
      }),
    issueDownstreamCa: ({ spki, ttlSeconds }) =>
      signDownstreamCa(
        { authorities: x509, trustDomain, clock, randomBytes },
        { spki, ttlSeconds: ttlSeconds === 0 ? options.caTtlSeconds : ttlSeconds },
      ),
    async issueJwtSvid(request) {
      if (jwt === undefined) {
        throw new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
      }
      ofRole(request.id, 'a workload')
      const ttlSeconds = request.ttlSeconds === 0 ? defaultJwtSvidTtlSeconds : request.ttlSeconds
      return signJwtSvidWith(
        { authorities: jwt, clock, randomBytes, jwtIssuer },
        { ...request, ttlSeconds },
      )
    },
  }
}
