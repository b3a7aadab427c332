/** Makes a call that changes an upstream authority, named by the key ID of its certificate, and tells of it. */
import type { CallOptions } from '@grpc/grpc-js'
import type { LocalAuthorityClient } from '../../../proto/gen/spire/api/server/localauthority/v1/LocalAuthority.ts'
import { localAuthorityApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Session } from '../../command.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { required, text } from '../../flag/kinds.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer, type Done } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

export const upstreamFlags = {
  ...operatorFlags,
  subjectKeyID: required(
    text('Subject Key Identifier of the CA certificate of the upstream authority'),
  ),
}

interface Changed {
  readonly upstream_authority_subject_key_id: string
}

interface UpstreamChange {
  readonly verb: 'taint' | 'revoke'
  /** What became of it. */
  readonly done: 'Tainted' | 'Revoked'
  /** Full name of the answer's message. */
  readonly response: string
  start(
    client: LocalAuthorityClient,
    request: { readonly subject_key_id: string },
    ...call: readonly [CallOptions, Done<Changed>]
  ): unknown
}

export async function changeUpstream(
  { subjectKeyID, output, ...socket }: FlagValues<typeof upstreamFlags>,
  session: Session,
  change: UpstreamChange,
): Promise<number> {
  if (subjectKeyID === '') {
    throw new IdentityError(
      'REQUEST_INVALID',
      'the Subject Key ID of the X.509 upstream authority is required',
    )
  }
  using server = connectServer(socket, session)
  const client = server.client(localAuthorityApi())
  const call = server.call<Changed>((options, done) =>
    change.start(client, { subject_key_id: subjectKeyID }, options, done),
  )
  const answer = await attempting(`could not ${change.verb} X.509 upstream authority`, call)
  if (output === 'json') {
    printJson(session.terminal, toProtoJson('localAuthority', change.response, answer))
    return 0
  }
  session.terminal.print(`${change.done} X.509 upstream authority:\n`)
  session.terminal.print(`  Subject Key ID: ${answer.upstream_authority_subject_key_id}\n`)
  return 0
}
