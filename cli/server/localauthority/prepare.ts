/** `steeple server localauthority x509|jwt prepare`: makes an authority that is published and signs nothing yet. */
import type { PrepareJWTAuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/PrepareJWTAuthorityResponse.ts'
import type { PrepareX509AuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/PrepareX509AuthorityResponse.ts'
import { defineCommand } from '../../command.ts'
import { operatorFlags } from '../flags.ts'
import { changeAuthority } from './change-authority.ts'

export const prepareX509 = defineCommand({
  summary: 'Make the next X.509 authority: it is in the bundle, and signs nothing yet',
  examples: ['server localauthority x509 prepare'],
  flags: operatorFlags,
  run: (flags, session) =>
    changeAuthority<PrepareX509AuthorityResponse>(flags, session, {
      kind: 'X.509',
      verb: 'prepare',
      done: 'Prepared',
      response: 'PrepareX509AuthorityResponse',
      start: (client, options, done) => client.PrepareX509Authority({}, options, done),
      changed: ({ prepared_authority }) => prepared_authority,
    }),
})

export const prepareJwt = defineCommand({
  summary: 'Make the next JWT authority: it is in the bundle, and signs nothing yet',
  examples: ['server localauthority jwt prepare'],
  flags: operatorFlags,
  run: (flags, session) =>
    changeAuthority<PrepareJWTAuthorityResponse>(flags, session, {
      kind: 'JWT',
      verb: 'prepare',
      done: 'Prepared',
      response: 'PrepareJWTAuthorityResponse',
      start: (client, options, done) => client.PrepareJWTAuthority({}, options, done),
      changed: ({ prepared_authority }) => prepared_authority,
    }),
})
