/**
 * BatchNewX509SVID, NewJWTSVID and BatchNewWITSVID: what an agent asks for its workloads. Each item is checked
 * against the entries that this very agent is authorized for; the CSR gives the key and nothing else.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BatchNewWITSVIDRequest } from '../../../proto/gen/spire/api/server/svid/v1/BatchNewWITSVIDRequest.ts'
import type { BatchNewWITSVIDResponseInput } from '../../../proto/gen/spire/api/server/svid/v1/BatchNewWITSVIDResponse.ts'
import type { BatchNewX509SVIDRequest } from '../../../proto/gen/spire/api/server/svid/v1/BatchNewX509SVIDRequest.ts'
import type {
  BatchNewX509SVIDResponseInput,
  _spire_api_server_svid_v1_BatchNewX509SVIDResponse_ResultInput as ResultInput,
} from '../../../proto/gen/spire/api/server/svid/v1/BatchNewX509SVIDResponse.ts'
import type { NewJWTSVIDRequest } from '../../../proto/gen/spire/api/server/svid/v1/NewJWTSVIDRequest.ts'
import type { NewJWTSVIDResponseInput } from '../../../proto/gen/spire/api/server/svid/v1/NewJWTSVIDResponse.ts'
import type { NewX509SVIDParams } from '../../../proto/gen/spire/api/server/svid/v1/NewX509SVIDParams.ts'
import type { Call } from '../../../proto/serve.ts'
import { ITEM_OK, toItemStatus } from '../../../proto/status.ts'
import { toWireId } from '../../../proto/wire.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { type Csr, parseCsr } from '../../../spiffe/x509/csr.ts'
import type { Entry } from '../../entries/entry.ts'
import type { EntryIndex } from '../../entries/entry-index.ts'
import type { Issuer } from '../../issue/issuer.ts'
import type { Caller } from '../../listen/caller.ts'
import type { RateLimits } from '../../listen/rate-limits.ts'
import { agentIdOf } from '../agent-caller.ts'
import { invalid, notFound, withinAsync } from '../refusal.ts'
import { issueWireJwtSvid, mustGiveJwtSvids } from './wire-svid.ts'

export interface NewSvidDeps {
  readonly index: Pick<EntryIndex, 'entryFor'>
  readonly issuer: Pick<Issuer, 'issueWorkloadX509Svid' | 'issueJwtSvid'>
  readonly limits: Pick<RateLimits, 'signX509' | 'signJwt' | 'signWit'>
  readonly disableJwtSvids: boolean
}

/** Items that are read before other calls get their turn, some milliseconds of work, and then checked side by side by other threads. */
const ITEMS_PER_TURN = 25

export async function batchNewX509Svid(
  { params }: BatchNewX509SVIDRequest,
  call: Call<Caller>,
  deps: NewSvidDeps,
): Promise<BatchNewX509SVIDResponseInput> {
  if (params.length === 0) throw invalid('missing parameters')
  await withinAsync('rejecting request due to certificate signing rate limiting', () =>
    deps.limits.signX509(call, params.length),
  )
  const agentId = agentIdOf(call.caller)
  const results: ResultInput[] = []
  let reading = readItems(agentId, params.slice(0, ITEMS_PER_TURN), deps)
  for (let at = 0; at < params.length && !call.signal.aborted; ) {
    const read = await Promise.all(reading.map(proveItem))
    at += read.length
    await nextTurn()
    // Before this one is signed, so that the other threads have something to check meanwhile.
    reading = readItems(agentId, params.slice(at, at + ITEMS_PER_TURN), deps)
    // Begun in order, and entered in the ledger in that order: the last one of an entry is the one that counts.
    results.push(...(await Promise.all(read.map((item) => newX509Svid(agentId, item, deps)))))
  }
  return { results }
}

/** What is known of an item before it is signed. */
type Read =
  | {
      readonly kind: 'asked'
      readonly entryId: string
      readonly csr: Csr
      /** Whether whoever made the CSR holds its key. */
      readonly proven: Promise<boolean>
    }
  | { readonly kind: 'refused'; readonly result: ResultInput }

function readItems(
  agentId: SpiffeId,
  items: readonly NewX509SVIDParams[],
  { index }: NewSvidDeps,
): readonly Read[] {
  return items.map(({ entry_id: entryId, csr: der }) => {
    try {
      if (entryId === '') throw invalid('missing entry ID')
      if (der.length === 0) throw invalid('missing CSR')
      authorizedEntry(index, agentId, entryId) // who may not have it makes nobody work
      const csr = parseCsr(der)
      return { kind: 'asked', entryId, csr, proven: csr.verifyElsewhere() }
    } catch (error) {
      return { kind: 'refused', result: { status: itemRefusal(error) } }
    }
  })
}

/** A forged request is refused like one that cannot be read. */
async function proveItem(item: Read): Promise<Read> {
  if (item.kind === 'refused' || (await item.proven)) return item
  const why = 'invalid CSR signature: it does not fit the public key'
  return { kind: 'refused', result: { status: itemRefusal(invalid(why)) } }
}

async function newX509Svid(
  agentId: SpiffeId,
  item: Read,
  { index, issuer }: NewSvidDeps,
): Promise<ResultInput> {
  if (item.kind === 'refused') return item.result
  const { entryId, csr } = item
  try {
    // Once more: meanwhile the entry may have changed, or gone.
    const entry = authorizedEntry(index, agentId, entryId)
    const { chain, expiresAt } = await issuer.issueWorkloadX509Svid({
      spki: csr.spki,
      id: entry.spiffeId,
      dnsNames: entry.dnsNames,
      ttlSeconds: entry.x509SvidTtlSeconds,
      heldBy: { agentId, entryId: entry.id },
    })
    return {
      status: ITEM_OK,
      svid: {
        id: toWireId(entry.spiffeId),
        cert_chain: [...chain],
        expires_at: unixSeconds(expiresAt),
      },
    }
  } catch (error) {
    return { status: itemRefusal(error) }
  }
}

export async function newJwtSvid(
  { entry_id, audience }: NewJWTSVIDRequest,
  call: Call<Caller>,
  deps: NewSvidDeps,
): Promise<NewJWTSVIDResponseInput> {
  await withinAsync('rejecting request due to JWT signing request rate limiting', () =>
    deps.limits.signJwt(call, 1),
  )
  mustGiveJwtSvids(deps.disableJwtSvids)
  const agentId = agentIdOf(call.caller)
  const entry = authorizedEntry(deps.index, agentId, entry_id)
  return {
    svid: await issueWireJwtSvid(
      {
        id: () => entry.spiffeId,
        audience,
        ttlSeconds: entry.jwtSvidTtlSeconds,
        includeJti: entry.jwtSvidIncludeJti,
        heldBy: agentId,
      },
      deps,
    ),
  }
}

/** WIT-SVIDs are behind a feature flag in SPIRE; this is what it answers without the flag. */
export async function batchNewWitSvid(
  { params }: BatchNewWITSVIDRequest,
  call: Call<Caller>,
  { limits, index }: NewSvidDeps,
): Promise<BatchNewWITSVIDResponseInput> {
  if (params.length === 0) throw invalid('missing parameters')
  await withinAsync('rejecting request due to certificate signing rate limiting', () =>
    limits.signWit(call, params.length),
  )
  const agentId = agentIdOf(call.caller)
  return {
    results: params.map(({ entry_id, public_key }) => {
      try {
        if (entry_id === '') throw invalid('missing entry ID')
        if (public_key.length === 0) throw invalid('missing public key')
        authorizedEntry(index, agentId, entry_id)
        throw new IdentityError(
          'INTERNAL',
          'failed to sign WIT-SVID: WIT key is not available for signing',
        )
      } catch (error) {
        return { status: itemRefusal(error) }
      }
    }),
  }
}

function authorizedEntry(
  index: Pick<EntryIndex, 'entryFor'>,
  agentId: SpiffeId,
  entryId: string,
): Entry {
  const entry = index.entryFor(agentId, entryId)
  // One answer for both, so that an agent cannot find out which entries exist.
  if (entry === undefined) throw notFound('entry not found or not authorized')
  return entry
}

/** A refusal becomes the status of its item; a bug fails the whole call. */
function itemRefusal(error: unknown) {
  if (!(error instanceof IdentityError)) throw error
  return toItemStatus(error)
}
