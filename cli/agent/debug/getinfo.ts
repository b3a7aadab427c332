/** `steeple agent debug getinfo`: what an agent says of itself: its uptime, when it last heard from the server, what it keeps. */
import type {
  _spire_agent_debug_v1_GetInfoResponse_Cert as Cert,
  GetInfoResponse,
} from '../../../proto/gen/spire/agent/debug/v1/GetInfoResponse.ts'
import { agentDebugApi } from '../../../proto/load.ts'
import { fromUnixSeconds } from '../../../spiffe/clock.ts'
import { defineCommand } from '../../command.ts'
import { idText } from '../../output/entry-text.ts'
import { formatRfc3339, formatSeconds } from '../../output/go-time.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { adminFlags, withAgentAdmin } from '../admin.ts'

const RESPONSE = 'spire.agent.debug.v1.GetInfoResponse'

export const getinfo = defineCommand({
  summary: 'Show the uptime of the running agent, its last sync, what it keeps, and its own SVID',
  examples: ['agent debug getinfo'],
  flags: adminFlags,
  async run({ output, socketPath }, session) {
    const info = await withAgentAdmin(socketPath, session, async (agent) => {
      const client = agent.client(agentDebugApi())
      return await agent.call<GetInfoResponse>((options, done) => client.GetInfo({}, options, done))
    })
    if (output === 'json') printJson(session.terminal, toProtoJson('agentDebug', RESPONSE, info))
    else session.terminal.print(infoText(info))
    return 0
  },
})

function infoText(info: GetInfoResponse): string {
  const { last_sync_success: synced } = info
  return [
    'Agent Debug Info:\n',
    `  Uptime:                          ${formatSeconds(info.uptime)}\n`,
    `  Last Sync Success:               ${synced === 0 ? '(never)' : formatRfc3339(fromUnixSeconds(synced))}\n`,
    `  Cached X.509 SVIDs:              ${info.cached_x509_svids_count}\n`,
    `  Cached JWT SVIDs:                ${info.cached_jwt_svids_count}\n`,
    `  Cached SVID Store X.509 SVIDs:   ${info.cached_svidstore_x509_svids_count}\n`,
    info.svid_chain.length === 0 ? '' : '  SVID Chain:\n',
    ...info.svid_chain.map(certificateText),
  ].join('')
}

function certificateText({ id, subject, expires_at }: Cert, index: number): string {
  const head = `    [${index}] `
  return [
    `${head}SPIFFE ID:  ${id === null ? '(none)' : idText(id)}\n`,
    `        Subject:    ${subject}\n`,
    `        Expires At: ${formatRfc3339(fromUnixSeconds(expires_at))}\n`,
  ].join('')
}
