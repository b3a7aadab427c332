/** `spire.api.server.svid.v1.SVID`, put together. */
import type { SVIDHandlers } from '../../../proto/gen/spire/api/server/svid/v1/SVID.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Caller } from '../../listen/caller.ts'
import { type MintDeps, mintJwtSvid, mintX509Svid } from './mint-svids.ts'
import { type DownstreamDeps, newDownstreamCa } from './new-downstream-ca.ts'
import { batchNewWitSvid, batchNewX509Svid, type NewSvidDeps, newJwtSvid } from './new-svids.ts'

export type SvidServiceDeps = MintDeps & NewSvidDeps & DownstreamDeps

export function svidService(deps: SvidServiceDeps): Implementation<Caller, SVIDHandlers> {
  return {
    MintX509SVID: (request) => mintX509Svid(request, deps),
    MintJWTSVID: (request) => mintJwtSvid(request, deps),
    MintWITSVID: async () => {
      throw new IdentityError('NOT_IMPLEMENTED', 'WIT functionality is disabled')
    },
    BatchNewX509SVID: (request, call) => batchNewX509Svid(request, call, deps),
    NewJWTSVID: (request, call) => newJwtSvid(request, call, deps),
    NewDownstreamX509CA: (request, call) => newDownstreamCa(request, call, deps),
    BatchNewWITSVID: (request, call) => batchNewWitSvid(request, call, deps),
  }
}
