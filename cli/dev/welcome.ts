/** What `steeple dev` says once everything answers: what to set, what to try, how to register more. */
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import type { DevPaths } from './dev-configs.ts'

export interface Welcome {
  readonly paths: DevPaths
  readonly trustDomain: TrustDomain
  readonly id: SpiffeId
  readonly agentId: SpiffeId
  readonly uid: number
}

export function welcome({ paths, trustDomain, id, agentId, uid }: Welcome): string {
  return `Trust domain ${trustDomain} is up. Processes of uid ${uid} are ${id}.

In another terminal:

  export SPIFFE_ENDPOINT_SOCKET=unix://${paths.agentSocket}
  export SPIRE_AGENT_PUBLIC_SOCKET=${paths.agentSocket}
  export SPIRE_SERVER_PRIVATE_SOCKET=${paths.serverSocket}

  steeple agent api fetch x509
  steeple server entry show

To register another identity:

  steeple server entry create -parentID ${agentId} \\
      -spiffeID spiffe://${trustDomain}/web -selector unix:uid:${uid}

Ctrl-C stops everything and removes it.
`
}
