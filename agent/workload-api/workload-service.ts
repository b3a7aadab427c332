/**
 * The SPIFFE Workload API: the caller of each call is attested, then it is answered. Attestation happens
 * once for each call; a process that changes who it is has to connect again.
 *
 * @see Workload-API §4 to §7
 */
import type { SpiffeWorkloadAPIHandlers } from '../../proto/gen/SpiffeWorkloadAPI.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Call, Implementation } from '../../proto/serve.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type AttendDeps, attend } from './attend.ts'
import { answerJwtBundles, answerJwtSvids, parseJwtWish } from './jwt-answers.ts'
import { validateJwtSvid } from './validate-jwt-svid.ts'
import type { AnswerDeps, Workload } from './workload.ts'
import { answerX509Bundles, answerX509Svids } from './x509-answers.ts'

export interface WorkloadServiceDeps extends AnswerDeps, AttendDeps {}

export function workloadService(
  deps: WorkloadServiceDeps,
): Implementation<UnixCaller, SpiffeWorkloadAPIHandlers> {
  const attended = <T>(call: Call<UnixCaller>, answer: (workload: Workload) => Promise<T>) =>
    attend(deps, call, answer)
  return {
    FetchX509SVID: (_, call, send) => attended(call, (who) => answerX509Svids(deps, who, send)),
    FetchX509Bundles: (_, call, send) =>
      attended(call, (who) => answerX509Bundles(deps, who, send)),
    FetchJWTBundles: (_, call, send) => attended(call, (who) => answerJwtBundles(deps, who, send)),
    async FetchJWTSVID(request, call) {
      const wish = parseJwtWish(request)
      return await attended(call, (who) => answerJwtSvids(deps, who, wish))
    },
    ValidateJWTSVID: (request) => validateJwtSvid(deps, request), // whoever may connect may ask
    async FetchWITSVID() {
      throw new IdentityError('NOT_IMPLEMENTED', 'fetching WIT-SVIDs is not implemented')
    },
    async FetchWITBundles() {
      throw new IdentityError('NOT_IMPLEMENTED', 'fetching WIT bundles is not implemented')
    },
  }
}
