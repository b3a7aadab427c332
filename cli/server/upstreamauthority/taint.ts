/** `steeple server upstreamauthority taint`: nothing may go on relying on this upstream authority. */
import { defineCommand } from '../../command.ts'
import { changeUpstream, upstreamFlags } from './change-upstream.ts'

export const taint = defineCommand({
  summary: 'Mark an upstream authority as no longer to be trusted; what it signed is replaced',
  examples: [
    'server upstreamauthority taint -subjectKeyID 7a206b92372953f1879d561850e9d55645e4e80e',
  ],
  flags: upstreamFlags,
  run: (flags, session) =>
    changeUpstream(flags, session, {
      verb: 'taint',
      done: 'Tainted',
      response: 'spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityResponse',
      start: (client, request, options, done) =>
        client.TaintX509UpstreamAuthority(request, options, done),
    }),
})
