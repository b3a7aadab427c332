/**
 * MintX509SVID and MintJWTSVID: an administrator names the identity, no entry is asked. Reserved IDs and those of
 * other trust domains are refused even to administrators.
 */
import type { MintJWTSVIDRequest } from '../../../proto/gen/spire/api/server/svid/v1/MintJWTSVIDRequest.ts'
import type { MintJWTSVIDResponseInput } from '../../../proto/gen/spire/api/server/svid/v1/MintJWTSVIDResponse.ts'
import type { MintX509SVIDRequest } from '../../../proto/gen/spire/api/server/svid/v1/MintX509SVIDRequest.ts'
import type { MintX509SVIDResponseInput } from '../../../proto/gen/spire/api/server/svid/v1/MintX509SVIDResponse.ts'
import { toWireId } from '../../../proto/wire.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import {
  parseSpiffeId,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../../spiffe/id.ts'
import { parseCsr } from '../../../spiffe/x509/csr.ts'
import { parseWorkloadId } from '../../entries/member-id.ts'
import type { Issuer } from '../../issue/issuer.ts'
import { invalid, within } from '../refusal.ts'
import { idPartsOf } from '../wire-match.ts'
import { checkCsrDnsNames } from './dns-names.ts'
import { issueWireJwtSvid } from './wire-svid.ts'

export interface MintDeps {
  readonly trustDomain: TrustDomain
  readonly issuer: Pick<Issuer, 'issueWorkloadX509Svid' | 'issueJwtSvid'>
  readonly disableJwtSvids: boolean
}

export async function mintX509Svid(
  { csr, ttl }: MintX509SVIDRequest,
  { trustDomain, issuer }: MintDeps,
): Promise<MintX509SVIDResponseInput> {
  if (csr.length === 0) throw invalid('missing CSR')
  const parsed = parseCsr(csr)
  if (!parsed.verify()) {
    throw invalid('failed to verify CSR signature: it does not fit the public key')
  }
  const [uri, ...others] = parsed.uriSans
  if (uri === undefined) throw invalid('CSR URI SAN is required')
  if (others.length > 0) throw invalid('only one URI SAN is expected')
  const id = within('CSR URI SAN is invalid', () => parseMintedId(uri, trustDomain))
  checkCsrDnsNames(parsed.dnsNames)
  const { chain, expiresAt } = await issuer.issueWorkloadX509Svid({
    spki: parsed.spki,
    id,
    dnsNames: parsed.dnsNames,
    ttlSeconds: Math.max(0, ttl),
    subject: parsed.subject,
  })
  return {
    svid: { id: toWireId(id), cert_chain: [...chain], expires_at: unixSeconds(expiresAt) },
  }
}

export async function mintJwtSvid(
  { id: wireId, audience, ttl }: MintJWTSVIDRequest,
  { trustDomain, issuer, disableJwtSvids }: MintDeps,
): Promise<MintJWTSVIDResponseInput> {
  const id = () =>
    within('invalid SPIFFE ID', () => parseWorkloadId(idPartsOf(wireId), trustDomain))
  return {
    svid: await issueWireJwtSvid(
      { id, audience, ttlSeconds: Math.max(0, ttl), includeJti: false },
      { issuer, disableJwtSvids },
    ),
  }
}

function parseMintedId(uri: string, trustDomain: TrustDomain): SpiffeId {
  const id = parseSpiffeId(uri)
  return parseWorkloadId({ trustDomain: trustDomainOf(id), path: pathOf(id) }, trustDomain)
}
