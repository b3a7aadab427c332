/** `steeple server localauthority x509|jwt revoke`: takes the tainted authority out of the bundle. */
import type { RevokeJWTAuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/RevokeJWTAuthorityResponse.ts'
import type { RevokeX509AuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/RevokeX509AuthorityResponse.ts'
import { defineCommand } from '../../command.ts'
import { authorityFlags, changeAuthority, mustNameAuthority } from './change-authority.ts'

export const revokeX509 = defineCommand({
  summary: 'Remove the tainted X.509 authority from the bundle',
  examples: [
    'server localauthority x509 revoke -authorityID 7a206b92372953f1879d561850e9d55645e4e80e',
  ],
  flags: authorityFlags,
  async run({ authorityID, ...flags }, session) {
    const request = mustNameAuthority(authorityID)
    return await changeAuthority<RevokeX509AuthorityResponse>(flags, session, {
      kind: 'X.509',
      verb: 'revoke',
      done: 'Revoked',
      response: 'RevokeX509AuthorityResponse',
      start: (client, options, done) => client.RevokeX509Authority(request, options, done),
      changed: ({ revoked_authority }) => revoked_authority,
    })
  },
})

export const revokeJwt = defineCommand({
  summary: 'Remove the tainted JWT authority from the bundle',
  examples: ['server localauthority jwt revoke -authorityID IEsqbbaBIrCmMsi2X8jFvxVRfWYn30DV'],
  flags: authorityFlags,
  async run({ authorityID, ...flags }, session) {
    const request = mustNameAuthority(authorityID)
    return await changeAuthority<RevokeJWTAuthorityResponse>(flags, session, {
      kind: 'JWT',
      verb: 'revoke',
      done: 'Revoked',
      response: 'RevokeJWTAuthorityResponse',
      start: (client, options, done) => client.RevokeJWTAuthority(request, options, done),
      changed: ({ revoked_authority }) => revoked_authority,
    })
  },
})
