/** `authorized_delegates`: who may use the Delegated Identity API, which is on the admin socket. */
import { type Context, placeOf, type Unsure, withDefault } from '../../config/check.ts'
import { addMistake, addWarning } from '../../config/mistake.ts'
import { listOf, spiffeIdValue } from '../../config/value.ts'
import { pathOf, type SpiffeId, type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'

export const authorizedDelegates = () =>
  withDefault(
    listOf(spiffeIdValue(), 'SPIFFE IDs'),
    '[]',
    'callers of the Delegated Identity API, which is on the admin socket',
  )

export interface DelegateKeys {
  readonly admin_socket_path: string | undefined
  readonly authorized_delegates: readonly SpiffeId[]
  readonly trust_domain: TrustDomain
}

type Written = Unsure<DelegateKeys> & Parameters<typeof placeOf>[0]

/** Reports a delegate that no agent of this trust domain could ever know. */
export function checkDelegates(read: Written, { report }: Context): void {
  const { authorized_delegates: delegates = [], trust_domain: own } = read
  if (delegates.length > 0 && read.admin_socket_path === undefined) {
    const why =
      'agent.authorized_delegates has no effect: without agent.admin_socket_path nobody can call'
    addWarning(report, placeOf(read, 'authorized_delegates'), why)
  }
  if (own === undefined) return
  const stranger = delegates.find((id) => trustDomainOf(id) !== own || pathOf(id) === '')
  if (stranger === undefined) return
  const message = `agent.authorized_delegates has ${stranger}`
  const expected = `IDs of workloads in trust domain ${own}`
  addMistake(report, placeOf(read, 'authorized_delegates'), message, expected)
}
