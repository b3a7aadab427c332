/**
 * Whose token a proxy sent, as its cluster's API server says. Fails closed: whoever is not plainly one service account,
 * authenticated for an audience of ours, is nobody.
 *
 * Permission: `create` of `tokenreviews.authentication.k8s.io`.
 *
 * @see Mesh issuance §2.4 — token, pod binding
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import {
  parseServiceAccountName,
  reviewToken,
  type ServiceAccountName,
  type TokenUser,
} from '../../kubernetes/review-token.ts'

export interface TokenAccount {
  readonly account: ServiceAccountName
  /** The pod that the token is bound to; undefined: none. Two values of one fact name no pod. */
  readonly pod: { readonly name: string; readonly uid: string } | undefined
}

export type ReviewedAccount =
  | ({ readonly kind: 'account' } & TokenAccount)
  | { readonly kind: 'unauthenticated'; readonly why: string }
  /** Authenticated, but no service account: a person, a node. */
  | { readonly kind: 'other'; readonly why: string }

/** Kubernetes' own are about 1 KiB. */
export const MAX_TOKEN_BYTES = 16 * 1024

const GROUP = 'system:serviceaccounts'
const EXTRA = 'authentication.kubernetes.io'
/** RFC 1123, as the API server holds both to it. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** @throws IdentityError when the API server does not tell */
export async function reviewAccount(
  cluster: Pick<Cluster, 'request'>,
  token: string,
  audiences: readonly string[],
  signal: AbortSignal,
): Promise<ReviewedAccount> {
  const review = await reviewToken(cluster, token, audiences, signal)
  if (review.kind === 'unauthenticated') {
    const { error = 'the API server does not know the token' } = review
    return { kind: 'unauthenticated', why: error }
  }
  return accountOf(review)
}

function accountOf(user: TokenUser): ReviewedAccount {
  const account = parseServiceAccountName(user.username)
  const shown = JSON.stringify(user.username.slice(0, 256))
  if (account === undefined) {
    return {
      kind: 'other',
      why: `the token is of ${shown}, expected system:serviceaccount:<namespace>:<name>`,
    }
  }
  if (!user.groups.includes(GROUP)) {
    return { kind: 'other', why: `the token of ${shown} is not in the group ${GROUP}` }
  }
  if (!NAME.test(account.namespace) || !NAME.test(account.name)) {
    return { kind: 'other', why: `${shown} is not the name of a service account` }
  }
  const name = only(user, 'pod-name')
  const uid = only(user, 'pod-uid')
  return {
    ...{ kind: 'account', account },
    pod: name === undefined || uid === undefined ? undefined : { name, uid },
  }
}

function only({ extra }: TokenUser, key: string): string | undefined {
  const [value, ...others] = extra.get(`${EXTRA}/${key}`) ?? []
  return value === '' || others.length > 0 ? undefined : value
}
