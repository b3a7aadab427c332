/** Makes the calls that change a local authority, and tells of the authority that was changed. */
import type { CallOptions } from '@grpc/grpc-js'
import type { AuthorityState } from '../../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { LocalAuthorityClient } from '../../../proto/gen/spire/api/server/localauthority/v1/LocalAuthority.ts'
import { localAuthorityApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Session } from '../../command.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { required, text } from '../../flag/kinds.ts'
import { type AuthorityKind, authorityText } from '../../output/authority-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer, type Done } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

export const authorityFlags = {
  ...operatorFlags,
  authorityID: required(text('ID of the authority, as localauthority show tells it')),
}

export interface AuthorityChange<Answer> {
  readonly kind: AuthorityKind
  readonly verb: 'prepare' | 'activate' | 'taint' | 'revoke'
  /** What became of it. */
  readonly done: 'Prepared' | 'Activated' | 'Tainted' | 'Revoked'
  /** Name of the answer's message within its package. */
  readonly response: string
  start(client: LocalAuthorityClient, options: CallOptions, done: Done<Answer>): unknown
  changed(answer: Answer): AuthorityState | null
}

export async function changeAuthority<Answer extends object>(
  { output, ...socket }: FlagValues<typeof operatorFlags>,
  session: Session,
  { kind, verb, done: past, response, start, changed }: AuthorityChange<Answer>,
): Promise<number> {
  using server = connectServer(socket, session)
  const client = server.client(localAuthorityApi())
  const call = server.call<Answer>((options, done) => start(client, options, done))
  const answer = await attempting(`could not ${verb} ${kind} authority`, call)
  if (output === 'json') {
    const type = `spire.api.server.localauthority.v1.${response}`
    printJson(session.terminal, toProtoJson('localAuthority', type, answer))
    return 0
  }
  session.terminal.print(`${past} ${kind} authority:\n`)
  const authority = changed(answer)
  if (authority === null) {
    const what = `expected to have ${past.toLowerCase()} ${kind} authority information`
    throw new IdentityError('INTERNAL', `internal error: ${what}`)
  }
  session.terminal.print(authorityText(kind, authority))
  return 0
}

/** @throws IdentityError REQUEST_INVALID when it is missing */
export function mustNameAuthority(authorityID: string): { readonly authority_id: string } {
  if (authorityID !== '') return { authority_id: authorityID }
  throw new IdentityError('REQUEST_INVALID', 'an authority ID is required')
}
