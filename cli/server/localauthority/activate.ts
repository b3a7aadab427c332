/** `steeple server localauthority x509|jwt activate`: signs with the prepared authority from now on; the active one becomes the old one. */
import type { ActivateJWTAuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/ActivateJWTAuthorityResponse.ts'
import type { ActivateX509AuthorityResponse } from '../../../proto/gen/spire/api/server/localauthority/v1/ActivateX509AuthorityResponse.ts'
import { defineCommand } from '../../command.ts'
import { authorityFlags, changeAuthority, mustNameAuthority } from './change-authority.ts'

export const activateX509 = defineCommand({
  summary: 'Sign with the prepared X.509 authority from now on',
  examples: [
    'server localauthority x509 activate -authorityID 7a206b92372953f1879d561850e9d55645e4e80e',
  ],
  flags: authorityFlags,
  async run({ authorityID, ...flags }, session) {
    const request = mustNameAuthority(authorityID)
    return await changeAuthority<ActivateX509AuthorityResponse>(flags, session, {
      kind: 'X.509',
      verb: 'activate',
      done: 'Activated',
      response: 'ActivateX509AuthorityResponse',
      start: (client, options, done) => client.ActivateX509Authority(request, options, done),
      changed: ({ activated_authority }) => activated_authority,
    })
  },
})

export const activateJwt = defineCommand({
  summary: 'Sign with the prepared JWT authority from now on',
  examples: ['server localauthority jwt activate -authorityID IEsqbbaBIrCmMsi2X8jFvxVRfWYn30DV'],
  flags: authorityFlags,
  async run({ authorityID, ...flags }, session) {
    const request = mustNameAuthority(authorityID)
    return await changeAuthority<ActivateJWTAuthorityResponse>(flags, session, {
      kind: 'JWT',
      verb: 'activate',
      done: 'Activated',
      response: 'ActivateJWTAuthorityResponse',
      start: (client, options, done) => client.ActivateJWTAuthority(request, options, done),
      changed: ({ activated_authority }) => activated_authority,
    })
  },
})
