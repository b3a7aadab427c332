/** The calls that a guided rotation makes: one to know, four to act, one to take back. */
import type { CallOptions } from '@grpc/grpc-js'
import type { AuthorityState } from '../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { LocalAuthorityClient } from '../../proto/gen/spire/api/server/localauthority/v1/LocalAuthority.ts'
import type { DiscardPreparedResponse } from '../../proto/gen/steeple/server/authority/v1/DiscardPreparedResponse.ts'
import type { GetProgressResponse } from '../../proto/gen/steeple/server/authority/v1/GetProgressResponse.ts'
import { authorityApi, localAuthorityApi } from '../../proto/load.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { attempting, type Done, type Endpoint } from '../rpc/endpoint.ts'
import type { Step } from './rotation-step.ts'

export type RotatedKind = 'x509' | 'jwt'

export interface AuthorityCalls {
  /** @throws IdentityError NOT_IMPLEMENTED for a server that does not know who uses what */
  progress(): Promise<GetProgressResponse>
  /** @returns the ID of the authority it was done to */
  take(step: Step, authorityId: string): Promise<string>
  discard(authorityId: string): Promise<void>
}

/** Each step answers with one of these. */
interface Answer {
  readonly prepared_authority?: AuthorityState | null
  readonly activated_authority?: AuthorityState | null
  readonly tainted_authority?: AuthorityState | null
  readonly revoked_authority?: AuthorityState | null
}
type Id = { readonly authority_id: string }
type Start = (
  client: LocalAuthorityClient,
  id: Id,
  options: CallOptions,
  done: Done<Answer>,
) => unknown

const STARTS: Readonly<Record<RotatedKind, Readonly<Record<Step, Start>>>> = {
  x509: {
    prepare: (client, _id, options, done) => client.PrepareX509Authority({}, options, done),
    activate: (client, id, options, done) => client.ActivateX509Authority(id, options, done),
    taint: (client, id, options, done) => client.TaintX509Authority(id, options, done),
    revoke: (client, id, options, done) => client.RevokeX509Authority(id, options, done),
  },
  jwt: {
    prepare: (client, _id, options, done) => client.PrepareJWTAuthority({}, options, done),
    activate: (client, id, options, done) => client.ActivateJWTAuthority(id, options, done),
    taint: (client, id, options, done) => client.TaintJWTAuthority(id, options, done),
    revoke: (client, id, options, done) => client.RevokeJWTAuthority(id, options, done),
  },
}

export function authorityCalls(server: Endpoint, kind: RotatedKind): AuthorityCalls {
  const ours = server.client(authorityApi())
  const spire = server.client(localAuthorityApi())
  const wireKind = kind === 'x509' ? 'X509' : 'JWT'
  return {
    async progress() {
      try {
        return await server.call<GetProgressResponse>((options, done) =>
          ours.GetProgress({ kind: wireKind }, options, done),
        )
      } catch (error) {
        throw isUntold(error) ? cannotTell(kind, error) : error
      }
    },
    async take(step, authorityId) {
      const id = { authority_id: authorityId }
      const answer = await attempting(
        `could not ${step} the authority`,
        server.call<Answer>((options, done) => STARTS[kind][step](spire, id, options, done)),
      )
      return step === 'prepare' ? (answer.prepared_authority?.authority_id ?? '') : authorityId
    },
    async discard(authorityId) {
      const request = { kind: wireKind, authority_id: authorityId } as const
      await attempting(
        'could not take back the prepared authority',
        server.call<DiscardPreparedResponse>((options, done) =>
          ours.DiscardPrepared(request, options, done),
        ),
      )
    },
  }
}

function isUntold(error: unknown): boolean {
  return (
    error instanceof IdentityError &&
    error.code === 'NOT_IMPLEMENTED' &&
    !error.message.includes('JWT functionality is disabled')
  )
}

function cannotTell(kind: RotatedKind, cause: unknown): IdentityError {
  const command = `steeple server localauthority ${kind}`
  return new IdentityError(
    'NOT_IMPLEMENTED',
    [
      'this server cannot tell who has heard of an authority and who still uses one, so a rotation cannot be guided; step by step it is done with',
      `  ${command} prepare`,
      `  ${command} activate -authorityID <the prepared one>   (once every agent has synchronized)`,
      `  ${command} taint -authorityID <the old one>`,
      `  ${command} revoke -authorityID <the old one>          (once every SVID has been renewed)`,
    ].join('\n'),
    { cause },
  )
}
