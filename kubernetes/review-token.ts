/**
 * Asks an API server whose token this is, by TokenReview. Fails closed: whatever does not say plainly that the token is
 * good, and good for one of the audiences asked about, is no authentication. The token appears in no message.
 *
 * Permission: `create` of `tokenreviews.authentication.k8s.io`.
 */
import type { Cluster } from './cluster.ts'
import { type JsonRecord, listAt, recordAt, textAt } from './object.ts'

/** Only who is authenticated has a name: nobody can read one by oversight. */
export type TokenReview =
  | ({ readonly kind: 'authenticated' } & TokenUser)
  /** `error` is what the API server gave as its reason; it gives none for tokens that are not of its making. */
  | { readonly kind: 'unauthenticated'; readonly error: string | undefined }

export interface TokenUser {
  /** `system:serviceaccount:<namespace>:<name>` for service accounts; see `parseServiceAccountName`. */
  readonly username: string
  readonly uid: string
  readonly groups: readonly string[]
  /** E.g. `authentication.kubernetes.io/pod-uid`. Anybody's authenticator may add to it: demand exactly one value. */
  readonly extra: ReadonlyMap<string, readonly string[]>
  /** Of those that were asked about, those that the token is good for. */
  readonly audiences: readonly string[]
}

export interface ServiceAccountName {
  readonly namespace: string
  readonly name: string
}

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews'

/**
 * @param audiences the token must be good for one of them; none: for the API server itself
 * @throws IdentityError as `Cluster.request`
 */
export async function reviewToken(
  cluster: Pick<Cluster, 'request'>,
  token: string,
  audiences: readonly string[],
  signal?: AbortSignal,
): Promise<TokenReview> {
  const answer = await cluster.request({
    ...{ method: 'POST', path: PATH, ...(signal === undefined ? {} : { signal }) },
    body: {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' },
      spec: { token, ...(audiences.length === 0 ? {} : { audiences }) },
    },
  })
  return readTokenReview(answer, audiences)
}

/** @param asked the audiences that the review was asked for */
export function readTokenReview(answer: unknown, asked: readonly string[]): TokenReview {
  const status = recordAt(answer, 'status')
  const error = textAt(status, 'error') ?? ''
  if (error !== '' || status.authenticated !== true) {
    return { kind: 'unauthenticated', error: error === '' ? undefined : error }
  }
  const audiences = textsIn(status, 'audiences')
  // An authenticator that knows nothing of audiences would take a token that was made for somebody else.
  if (asked.length > 0 && !asked.some((one) => audiences.includes(one))) {
    const why = `the token is for none of the audiences ${JSON.stringify(asked)}, but for ${JSON.stringify(audiences)}`
    return { kind: 'unauthenticated', error: why }
  }
  const user = recordAt(status, 'user')
  return {
    kind: 'authenticated',
    username: textAt(user, 'username') ?? '',
    uid: textAt(user, 'uid') ?? '',
    groups: textsIn(user, 'groups'),
    extra: readExtra(user),
    audiences,
  }
}

function readExtra(user: JsonRecord): ReadonlyMap<string, readonly string[]> {
  const extra = recordAt(user, 'extra')
  return new Map(Object.keys(extra).map((key) => [key, textsIn(extra, key)]))
}

function textsIn(value: unknown, key: string): readonly string[] {
  return listAt(value, key).filter((one) => typeof one === 'string')
}

const SERVICE_ACCOUNT = /^system:serviceaccount:(?<namespace>[^:]+):(?<name>[^:]+)$/

/** @returns undefined for whoever is no service account: a node, a person */
export function parseServiceAccountName(username: string): ServiceAccountName | undefined {
  const { namespace, name } = SERVICE_ACCOUNT.exec(username)?.groups ?? {}
  return namespace === undefined || name === undefined ? undefined : { namespace, name }
}
