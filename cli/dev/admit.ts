/** What `steeple dev` asks of its server before there is an agent: a bundle, a token, an entry. */
import type { BatchCreateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import type { JoinToken } from '../../proto/gen/spire/api/types/JoinToken.ts'
import { agentApi, bundleApi, entryApi } from '../../proto/load.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type SpiffeId, spiffeId, type TrustDomain } from '../../spiffe/id.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import { PUBLIC, writeFile } from '../output/write-file.ts'
import type { Endpoint } from '../rpc/endpoint.ts'
import { toParts } from '../server/spiffe-id.ts'

const TOKEN_TTL_SECONDS = 600

export interface Admitted {
  /** A secret until it is used, which is at once. */
  readonly joinToken: string
  readonly agentId: SpiffeId
}

export interface Wanted {
  readonly trustDomain: TrustDomain
  readonly bundlePath: string
  /** What the processes of this user are to be. */
  readonly id: SpiffeId
  readonly uid: number
}

/** @throws IdentityError */
export async function admit(server: Endpoint, wanted: Wanted): Promise<Admitted> {
  const bundles = server.client(bundleApi())
  const bundle = await server.call<Bundle>((options, done) => bundles.GetBundle({}, options, done))
  const pem = toPemChain(bundle.x509_authorities.map(({ asn1 }) => asn1))
  await writeFile(wanted.bundlePath, pem, PUBLIC)
  const agents = server.client(agentApi())
  const { value: joinToken } = await server.call<JoinToken>((options, done) =>
    agents.CreateJoinToken({ ttl: TOKEN_TTL_SECONDS }, options, done),
  )
  const agentId = spiffeId(wanted.trustDomain, `/spire/agent/join_token/${joinToken}`)
  await register(server, wanted, agentId)
  return { joinToken, agentId }
}

async function register(server: Endpoint, { id, uid }: Wanted, parent: SpiffeId): Promise<void> {
  const entries = server.client(entryApi())
  const entry = {
    spiffe_id: toParts(id),
    parent_id: toParts(parent),
    selectors: [{ type: 'unix', value: `uid:${uid}` }],
  }
  const { results } = await server.call<BatchCreateEntryResponse>((options, done) =>
    entries.BatchCreateEntry({ entries: [entry] }, options, done),
  )
  const [result] = results
  if (result?.status?.code !== 0) {
    const why = result?.status?.message ?? 'no answer'
    throw new IdentityError('ENTRY_INVALID', `cannot register ${id}: ${why}`)
  }
}
