/**
 * Asks an API server whether somebody may do something, by SubjectAccessReview. Fails closed: whatever does not say plainly that it
 * is allowed is a no.
 *
 * Permission: `create` of `subjectaccessreviews.authorization.k8s.io`.
 */
import type { Cluster } from './cluster.ts'
import { recordAt } from './object.ts'

export interface AccessInQuestion {
  readonly user: string
  readonly verb: string
  /** Empty for the group without a name. */
  readonly group: string
  /** The plural of its path. */
  readonly resource: string
  /** Empty for what is in no namespace. */
  readonly namespace: string
  readonly name: string
  readonly signal: AbortSignal
}

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** @throws IdentityError as `Cluster.request` */
export async function reviewAccess(
  cluster: Pick<Cluster, 'request'>,
  { user, verb, group, resource, namespace, name, signal }: AccessInQuestion,
): Promise<boolean> {
  const resourceAttributes = { verb, group, resource, namespace, name }
  const answer = await cluster.request({
    ...{ method: 'POST', path: PATH, signal },
    body: {
      ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' },
      spec: { user, resourceAttributes },
    },
  })
  const status = recordAt(answer, 'status')
  return status.allowed === true && status.denied !== true
}
