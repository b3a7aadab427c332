/**
 * Who asks the Istio CA: its header picks the cluster, and that cluster's API server says whose token it is. The caller
 * is told only that it was refused; why is for the log.
 *
 * @see Mesh issuance §2.1 and §2.4
 */
import type { Metadata } from '@grpc/grpc-js'
import type { Cluster } from '../../../kubernetes/cluster.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { type Check, refused } from '../refusal.ts'
import { reviewAccount, type TokenAccount } from '../service-account.ts'
import type { NodePods } from './node-pods.ts'
import { readBearer, readClusterId } from './read-request.ts'

/** A cluster whose service accounts may ask. */
export interface MeshCluster {
  readonly name: string
  readonly cluster: Pick<Cluster, 'request' | 'server'>
  readonly pods: NodePods
}

const TOLD = { code: 'CALLER_UNIDENTIFIED', message: 'request authenticate failure' } as const
/** Not the caller's fault, and worth asking again: clients do after UNAVAILABLE, and never after UNAUTHENTICATED. */
const TRY_AGAIN = { code: 'UNAVAILABLE', message: 'cannot authenticate requests now' } as const

/** @returns what the headers name, before anything of it is believed */
export function readHeaders(metadata: Metadata): {
  readonly clusterId: string
  readonly token: string
} {
  return {
    clusterId: within('cluster', () => readClusterId(metadata)),
    token: within('token', () => readBearer(metadata)),
  }
}

/** @param local the one that callers without a header are of @throws IdentityError CALLER_UNIDENTIFIED */
export function pickCluster(
  id: string,
  clusters: ReadonlyMap<string, MeshCluster>,
  local: string | undefined,
): MeshCluster {
  const name = id === '' ? local : id
  const found = name === undefined ? undefined : clusters.get(name)
  if (found !== undefined) return found
  const known = [...clusters.keys()].join(', ')
  const why =
    name === undefined
      ? `the caller names no cluster, and none is local_cluster; there are: ${known}`
      : `the caller names the cluster ${JSON.stringify(name)}, which is none of: ${known}`
  throw refused('cluster', TOLD, why)
}

/** @throws IdentityError CALLER_UNIDENTIFIED, or UNAVAILABLE when the API server does not tell */
export async function authenticate(
  { name, cluster }: MeshCluster,
  token: string,
  audiences: readonly string[],
  signal: AbortSignal,
): Promise<TokenAccount> {
  const reviewed = await reviewAccount(cluster, token, audiences, signal).catch(
    (cause: unknown): never => {
      if (!(cause instanceof IdentityError)) throw cause
      throw refused('token', TRY_AGAIN, `cluster ${name}: ${reasonOf(cause)}`, cause)
    },
  )
  switch (reviewed.kind) {
    case 'account':
      return reviewed
    case 'unauthenticated':
      throw refused('token', TOLD, `cluster ${name}: ${reviewed.why}`)
    case 'other':
      throw refused('account', TOLD, reviewed.why)
    default:
      return reviewed satisfies never
  }
}

function within<T>(check: Check, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw refused(check, TOLD, reasonOf(cause), cause)
  }
}
