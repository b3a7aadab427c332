/** `steeple server localauthority x509|jwt taint`: nothing may go on relying on the old authority; what it signed is replaced. */
import type { TaintJWTAuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/TaintJWTAuthorityResponse.ts'
import type { TaintX509AuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/TaintX509AuthorityResponse.ts'
import { defineCommand } from '../../command.ts'
import { authorityFlags, changeAuthority, mustNameAuthority } from './change-authority.ts'

export const taintX509 = defineCommand({
  summary: 'Mark the old X.509 authority as no longer to be trusted; what it signed is replaced',
  examples: [
    'server localauthority x509 taint -authorityID 7a206b92372953f1879d561850e9d55645e4e80e',
  ],
  flags: authorityFlags,
  async run({ authorityID, ...flags }, session) {
    const request = mustNameAuthority(authorityID)
    return await changeAuthority<TaintX509AuthorityResponse>(flags, session, {
      kind: 'X.509',
      verb: 'taint',
      done: 'Tainted',
      response: 'TaintX509AuthorityResponse',
      start: (client, options, done) => client.TaintX509Authority(request, options, done),
      changed: ({ tainted_authority }) => tainted_authority,
    })
  },
})

export const taintJwt = defineCommand({
  summary: 'Mark the old JWT authority as no longer to be trusted; what it signed is replaced',
  examples: ['server localauthority jwt taint -authorityID IEsqbbaBIrCmMsi2X8jFvxVRfWYn30DV'],
  flags: authorityFlags,
  async run({ authorityID, ...flags }, session) {
    const request = mustNameAuthority(authorityID)
    return await changeAuthority<TaintJWTAuthorityResponse>(flags, session, {
      kind: 'JWT',
      verb: 'taint',
      done: 'Tainted',
      response: 'TaintJWTAuthorityResponse',
      start: (client, options, done) => client.TaintJWTAuthority(request, options, done),
      changed: ({ tainted_authority }) => tainted_authority,
    })
  },
})
