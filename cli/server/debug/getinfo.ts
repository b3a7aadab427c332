/** `steeple server debug getinfo`: what a server says of itself: its uptime, what it keeps, its own SVID. */
import type {
  _spire_api_server_debug_v1_GetInfoResponse_Cert as Cert,
  GetInfoResponse,
} from '../../../proto/gen/spire/api/server/debug/v1/GetInfoResponse.ts'
import { debugApi } from '../../../proto/load.ts'
import { fromUnixSeconds } from '../../../spiffe/clock.ts'
import { defineCommand } from '../../command.ts'
import { idText } from '../../output/entry-text.ts'
import { formatRfc3339, formatSeconds } from '../../output/go-time.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

const RESPONSE = 'spire.api.server.debug.v1.GetInfoResponse'

export const getinfo = defineCommand({
  summary: 'Show the uptime of the running server, what it keeps, and its own SVID',
  examples: ['server debug getinfo'],
  flags: operatorFlags,
  async run({ output, ...socket }, session) {
    using server = connectServer(socket, session)
    const client = server.client(debugApi())
    const info = await server.call<GetInfoResponse>((options, done) =>
      client.GetInfo({}, options, done),
    )
    if (output === 'json') printJson(session.terminal, toProtoJson('debug', RESPONSE, info))
    else session.terminal.print(infoText(info))
    return 0
  },
})

function infoText(info: GetInfoResponse): string {
  return [
    'Server Debug Info:\n',
    `  Uptime:                  ${formatSeconds(info.uptime)}\n`,
    `  Registered Agents:       ${info.agents_count}\n`,
    `  Registration Entries:    ${info.entries_count}\n`,
    `  Federated Bundles:       ${info.federated_bundles_count}\n`,
    info.svid_chain.length === 0 ? '' : '  SVID Chain:\n',
    ...info.svid_chain.map(certificateText),
  ].join('')
}

function certificateText({ id, subject, expires_at }: Cert, index: number): string {
  const head = `    [${index}] `
  const indent = ' '.repeat(head.length)
  return [
    `${head}SPIFFE ID:  ${idText(id)}\n`,
    `${indent}Subject:    ${subject}\n`,
    `${indent}Expires At: ${formatRfc3339(fromUnixSeconds(expires_at))}\n`,
  ].join('')
}
