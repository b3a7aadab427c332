/** The flags that describe an entry, and the entry that they describe. */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { serverId, trustDomainOf } from '../../../spiffe/id.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { boolean, integer, list, path, text } from '../../flag/kinds.ts'
import { mustFitInt32 } from '../int32.ts'
import { readSelector } from '../selector.ts'
import { readId, toParts } from '../spiffe-id.ts'

export const entryFlags = {
  admin: boolean('may use the administration API of the server'),
  data: path('file with entries in JSON, or - for standard input; other entry flags are ignored'),
  disableX509SVIDPrefetch: boolean('agents fetch the X.509-SVID only when a workload asks for it'),
  dns: list('DNS name in the X.509-SVID'),
  downstream: boolean('is a server below this one'),
  entryExpiry: integer('when the entry is deleted, in Unix seconds (0: never)'),
  entryID: text('ID of the entry'),
  federatesWith: list('trust domain whose bundle the workload gets, too'),
  hint: text('tells a workload with several SVIDs what this one is for'),
  jwtSVIDIncludeJTI: boolean('JWT-SVIDs get a "jti" claim, so agents do not cache them'),
  jwtSVIDTTL: integer('lifetime of JWT-SVIDs in seconds (0: as the server is configured)'),
  parentID: text('SPIFFE ID of the agent, or of the nodes, where the workload runs'),
  selector: list('what a workload must be to match, as type:value'),
  spiffeID: text('SPIFFE ID that a matching workload gets'),
  storeSVID: boolean('the SVID is kept in a store, not served to workloads'),
  x509SVIDTTL: integer('lifetime of X.509-SVIDs in seconds (0: as the server is configured)'),
}

export type EntryFlagValues = FlagValues<typeof entryFlags>

/** Every field as it is when nobody sets it. */
export const EMPTY_ENTRY: Entry = {
  id: '',
  spiffe_id: null,
  parent_id: null,
  selectors: [],
  x509_svid_ttl: 0,
  federates_with: [],
  admin: false,
  downstream: false,
  expires_at: 0,
  dns_names: [],
  revision_number: 0,
  store_svid: false,
  jwt_svid_ttl: 0,
  hint: '',
  created_at: 0,
}

export interface EntryKind {
  /** The parent is the server: the entry stands for nodes. */
  readonly isNode: boolean
}

/** @throws IdentityError in the words of SPIRE; the server checks what it can check better */
export function entryOfFlags(flags: EntryFlagValues, { isNode }: EntryKind): Entry {
  mustBeUsable(flags)
  const parentId = isNode ? undefined : readId(flags.parentID)
  const spiffeId = readId(flags.spiffeID)
  const x509Ttl = mustFitInt32(flags.x509SVIDTTL, 'X509 SVID TTL')
  const jwtTtl = mustFitInt32(flags.jwtSVIDTTL, 'JWT SVID TTL')
  const prefetchOff = flags.disableX509SVIDPrefetch === true
  const includeJti = flags.jwtSVIDIncludeJTI === true
  return {
    ...EMPTY_ENTRY,
    id: flags.entryID,
    parent_id: toParts(parentId ?? serverId(trustDomainOf(spiffeId))),
    spiffe_id: toParts(spiffeId),
    selectors: flags.selector.map(readSelector),
    x509_svid_ttl: x509Ttl,
    jwt_svid_ttl: jwtTtl,
    federates_with: [...flags.federatesWith],
    admin: flags.admin === true,
    downstream: flags.downstream === true,
    expires_at: flags.entryExpiry,
    dns_names: [...flags.dns],
    store_svid: flags.storeSVID === true,
    hint: flags.hint,
    ...((prefetchOff || includeJti) && {
      additional_attributes: {
        disable_x509_svid_prefetch: prefetchOff,
        jwt_svid_include_jti: includeJti,
      },
    }),
  }
}

function mustBeUsable({ x509SVIDTTL, jwtSVIDTTL }: EntryFlagValues): void {
  const refuse = (what: string): never => {
    throw new IdentityError('REQUEST_INVALID', `a positive ${what} TTL is required`)
  }
  if (x509SVIDTTL < 0) refuse('x509-SVID')
  if (jwtSVIDTTL < 0) refuse('JWT-SVID')
}

/** @throws IdentityError REQUEST_INVALID unless everything is there, in the order in which SPIRE asks */
export function mustBeGiven(
  ...wanted: readonly (readonly [isThere: boolean, what: string])[]
): void {
  const missing = wanted.find(([isThere]) => !isThere)
  if (missing !== undefined) throw new IdentityError('REQUEST_INVALID', missing[1])
}
