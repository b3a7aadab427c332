/** `steeple server localauthority x509|jwt show`: the authorities of this server: active, prepared and old. */
import type { CallOptions } from '@grpc/grpc-js'
import type { AuthorityState } from '../../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { LocalAuthorityClient } from '../../../proto/gen/spire/api/server/localauthority/v1/LocalAuthority.ts'
import { localAuthorityApi } from '../../../proto/load.ts'
import { defineCommand, type Session } from '../../command.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { type AuthorityKind, authorityText } from '../../output/authority-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer, type Done } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

export const showX509 = defineCommand({
  summary: 'Show the X.509 authorities of this server, each with its ID',
  examples: ['server localauthority x509 show'],
  flags: operatorFlags,
  run: (flags, session) =>
    showAuthorities(flags, session, {
      kind: 'X.509',
      response: 'GetX509AuthorityStateResponse',
      start: (client, options, done) => client.GetX509AuthorityState({}, options, done),
    }),
})

export const showJwt = defineCommand({
  summary: 'Show the JWT authorities of this server, each with its ID',
  examples: ['server localauthority jwt show'],
  flags: operatorFlags,
  run: (flags, session) =>
    showAuthorities(flags, session, {
      kind: 'JWT',
      response: 'GetJWTAuthorityStateResponse',
      start: (client, options, done) => client.GetJWTAuthorityState({}, options, done),
    }),
})

interface Authorities {
  readonly active: AuthorityState | null
  readonly prepared: AuthorityState | null
  readonly old: AuthorityState | null
}

interface AuthoritiesCall {
  readonly kind: AuthorityKind
  /** Name of the answer's message within its package. */
  readonly response: string
  start(client: LocalAuthorityClient, options: CallOptions, done: Done<Authorities>): unknown
}

async function showAuthorities(
  { output, ...socket }: FlagValues<typeof operatorFlags>,
  session: Session,
  { kind, response, start }: AuthoritiesCall,
): Promise<number> {
  using server = connectServer(socket, session)
  const client = server.client(localAuthorityApi())
  const call = server.call<Authorities>((options, done) => start(client, options, done))
  const answer = await attempting(`could not get ${kind} authorities`, call)
  if (output === 'json') {
    const type = `spire.api.server.localauthority.v1.${response}`
    printJson(session.terminal, toProtoJson('localAuthority', type, answer))
  } else session.terminal.print(authoritiesText(kind, answer))
  return 0
}

function authoritiesText(kind: AuthorityKind, { active, prepared, old }: Authorities): string {
  const section = (name: string, authority: AuthorityState | null) => {
    const missing = `  No ${name.toLowerCase()} ${kind} authority found\n`
    const text = authority === null ? missing : authorityText(kind, authority)
    return `${name} ${kind} authority:\n${text}`
  }
  return [section('Active', active), section('Prepared', prepared), section('Old', old)].join('\n')
}
