/** `steeple server jwt mint`: a JWT-SVID without an agent. The token is a secret. */
import type { MintJWTSVIDResponse } from '../../../proto/gen/spire/api/server/svid/v1/MintJWTSVIDResponse.ts'
import { svidApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { duration, list, path, required, text } from '../../flag/kinds.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { PRIVATE, writeFile } from '../../output/write-file.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { readId, toParts } from '../spiffe-id.ts'
import { cappedWarning, toTtlSeconds } from '../ttl.ts'

const RESPONSE = 'spire.api.server.svid.v1.MintJWTSVIDResponse'

export const mint = defineCommand({
  summary: 'Issue a JWT-SVID without an agent',
  examples: ['server jwt mint -spiffeID spiffe://example.org/job -audience api.example.org'],
  flags: {
    ...operatorFlags,
    audience: required(list('who the token is for')),
    spiffeID: required(text('SPIFFE ID of the JWT-SVID')),
    ttl: duration('lifetime, e.g. 5m; as the server is configured when it is left out'),
    write: path('file for the token, instead of standard output'),
  },
  async run({ audience, spiffeID, ttl: ttlMs, write, output, ...socket }, session) {
    const { terminal, clock } = session
    if (spiffeID === '') throw new IdentityError('REQUEST_INVALID', 'spiffeID must be specified')
    if (audience.length === 0) {
      throw new IdentityError('REQUEST_INVALID', 'at least one audience must be specified')
    }
    const request = {
      id: toParts(readId(spiffeID)),
      ttl: toTtlSeconds(ttlMs),
      audience: [...audience],
    }
    using server = connectServer(socket, session)
    const client = server.client(svidApi())
    const answer = await attempting(
      'unable to mint SVID',
      server.call<MintJWTSVIDResponse>((options, done) =>
        client.MintJWTSVID(request, options, done),
      ),
    )
    const { token = '', expires_at: expiresAt = 0 } = answer.svid ?? {}
    if (token === '') throw new IdentityError('INTERNAL', 'server response missing token')
    terminal.complain(cappedWarning('JWT-SVID', { ttlMs, expiresAt, now: clock.now() }))
    if (write !== '') {
      await attempting('unable to write token', writeFile(write, token, PRIVATE))
      terminal.print(`JWT-SVID written to ${write}\n`)
    } else if (output === 'json') printJson(terminal, toProtoJson('svid', RESPONSE, answer))
    else terminal.print(`${token}\n`)
    return 0
  },
})
