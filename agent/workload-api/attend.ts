/** What comes before every answer to a workload: it is attested, and its rate is looked at. */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Call } from '../../proto/serve.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Attest } from '../attest/attest.ts'
import type { LimitRate } from './rate-limit.ts'
import type { Workload } from './workload.ts'

export interface AttendDeps {
  readonly attest: Attest
  readonly limitRate: LimitRate
  /** Aborts when the agent stops, and the signals of all calls with it. */
  readonly stopping: AbortSignal
}

/** @throws IdentityError RATE_LIMITED, ATTESTATION_FAILED, CALLER_UNIDENTIFIED, UNAVAILABLE, and what `answer` throws */
export async function attend<T>(
  { attest, limitRate, stopping }: AttendDeps,
  { caller, method, signal }: Call<UnixCaller>,
  answer: (workload: Workload) => Promise<T>,
): Promise<T> {
  const selectors = await attest(caller, signal)
  limitRate(method, selectors) // only now is it known whose call this is
  const answered = await answer({ caller, selectors, signal })
  if (stopping.aborted) throw new IdentityError('UNAVAILABLE', 'the agent is stopping')
  return answered
}
