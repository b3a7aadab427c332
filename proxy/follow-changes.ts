/** Lets every change of policy, identity or bundles reach the connections that are open, of each workload by itself. */
import { jwtRulesFor } from '../policy/authenticate-request.ts'
import { IdentityError } from '../spiffe/error.ts'
import type { RouteOptions } from './http-routes.ts'
import type { TokenKeys } from './policy-source/issuer-keys.ts'

/** Disposing ends it; the connections stay. */
export function followChanges(
  workloads: readonly RouteOptions[],
  tokenKeys: Pick<TokenKeys, 'follow'>,
): Disposable {
  const followIssuers = () =>
    tokenKeys.follow(
      workloads.flatMap(({ engine }) => {
        const { snapshot, workload } = engine.inForce()
        return jwtRulesFor(snapshot, workload, { kind: 'sidecar-http' })
      }),
    )
  followIssuers()
  const following = workloads.flatMap((one) => [
    one.engine.onChange(() => {
      followIssuers()
      const { connections, log } = one.context
      const closed = connections.rejudge()
      log.info({ connections: connections.size, closed }, 'Policy changed')
    }),
    one.context.identity.onChange(() => rejudgePeers(one)),
  ])
  return {
    [Symbol.dispose]() {
      for (const one of following) one[Symbol.dispose]()
    },
  }
}

function rejudgePeers({ context, self }: RouteOptions): void {
  const { connections, identity, clock, log } = context
  try {
    const { bundles, defaultSvid } = identity.current()
    const closed = connections.rejudgePeers(bundles, clock.now())
    log.info({ spiffe_id: defaultSvid.id, closed }, 'Identity or bundles changed')
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    // Fails closed: what was withdrawn does not speak for us any more, on open connections neither.
    const closed = connections.rejudgePeers(new Map(), clock.now())
    const { id } = self.party
    log.error({ spiffe_id: id, reason: error.message, closed }, 'There is no identity any more')
  }
}
