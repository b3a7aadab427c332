/** NewDownstreamX509CA: a nested server gets a CA of its own. The CSR gives the key and nothing else. */
import type { NewDownstreamX509CARequest } from '../../../proto/gen/spire/api/server/svid/v1/NewDownstreamX509CARequest.ts'
import type { NewDownstreamX509CAResponseInput } from '../../../proto/gen/spire/api/server/svid/v1/NewDownstreamX509CAResponse.ts'
import type { Call } from '../../../proto/serve.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseCsr } from '../../../spiffe/x509/csr.ts'
import type { Issuer } from '../../issue/issuer.ts'
import type { Caller } from '../../listen/caller.ts'
import type { RateLimits } from '../../listen/rate-limits.ts'
import { agentIdOf } from '../agent-caller.ts'
import { invalid, withinAsync } from '../refusal.ts'

export interface DownstreamDeps {
  readonly issuer: Pick<Issuer, 'issueDownstreamCa'>
  readonly localBundle: { current(): Bundle }
  readonly limits: Pick<RateLimits, 'signX509'>
}

/** That the caller is a downstream server has been checked at the gate. */
export async function newDownstreamCa(
  { csr, preferred_ttl }: NewDownstreamX509CARequest,
  call: Call<Caller>,
  { issuer, localBundle, limits }: DownstreamDeps,
): Promise<NewDownstreamX509CAResponseInput> {
  await withinAsync('rejecting request due to downstream CA signing rate limit', () =>
    limits.signX509(call, 1),
  )
  const parsed = parseCsr(csr)
  if (!parsed.verify()) throw invalid('invalid CSR signature: it does not fit the public key')
  const { chain } = await issuer.issueDownstreamCa({
    spki: parsed.spki,
    ttlSeconds: Math.max(0, preferred_ttl),
    heldBy: agentIdOf(call.caller),
  })
  return {
    ca_cert_chain: [...chain],
    x509_authorities: localBundle.current().x509Authorities.map(({ der }) => der),
  }
}
