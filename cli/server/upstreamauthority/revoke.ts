/** `steeple server upstreamauthority revoke`: takes a tainted upstream authority out of the bundle. */
import { defineCommand } from '../../command.ts'
import { changeUpstream, upstreamFlags } from './change-upstream.ts'

export const revoke = defineCommand({
  summary: 'Remove a tainted upstream authority from the bundle',
  examples: [
    'server upstreamauthority revoke -subjectKeyID 7a206b92372953f1879d561850e9d55645e4e80e',
  ],
  flags: upstreamFlags,
  run: (flags, session) =>
    changeUpstream(flags, session, {
      verb: 'revoke',
      done: 'Revoked',
      response: 'spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityResponse',
      start: (client, request, options, done) =>
        client.RevokeX509UpstreamAuthority(request, options, done),
    }),
})
