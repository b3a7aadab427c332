/** `steeple servers list`: the servers of the trust domain, whether they live, and which authorities they have. */
import type { ListServersResponse } from '../../proto/gen/steeple/server/authority/v1/ListServersResponse.ts'
import type { Server } from '../../proto/gen/steeple/server/authority/v1/Server.ts'
import type { ServerSlots } from '../../proto/gen/steeple/server/authority/v1/ServerSlots.ts'
import type { ServerState } from '../../proto/gen/steeple/server/authority/v1/ServerState.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { serverCalls } from '../authority/server-calls.ts'
import { defineCommand } from '../command.ts'
import { formatUtc } from '../output/go-time.ts'
import { printJson } from '../output/print.ts'
import { toProtoJson } from '../output/protojson.ts'
import { connectServer } from '../rpc/endpoint.ts'
import { operatorFlags } from '../server/flags.ts'

export const listServers = defineCommand({
  summary: 'List the servers of the trust domain, and which authorities they have',
  examples: ['servers list', 'servers list -output json'],
  flags: operatorFlags,
  async run({ output, ...socket }, session) {
    using server = connectServer(socket, session)
    const answer = await serverCalls(server).list()
    if (output === 'json') {
      const type = 'steeple.server.authority.v1.ListServersResponse'
      printJson(session.terminal, toProtoJson('authority', type, answer))
    } else session.terminal.print(serversText(answer))
    return 0
  },
})

const STATES: Readonly<Record<ServerState, string>> = {
  HERE: 'lives (it answers)',
  LIVING: 'lives',
  MUTE: 'lives, does not answer',
  SILENT: 'has not been seen for',
  STOPPED: 'is stopped',
}

function serversText({ servers }: ListServersResponse): string {
  const count = servers.length === 1 ? 'Found 1 server' : `Found ${servers.length} servers`
  return `${count}\n${servers.map((one) => `\n${serverText(one)}`).join('')}`
}

function serverText(server: Server): string {
  const { key, state, name, address, version, started_at, seen_seconds_ago, x509, jwt } = server
  const silence = state === 'SILENT' ? ` ${seen_seconds_ago} s` : ''
  return [
    `Server           : ${key}\n`,
    `State            : ${STATES[state]}${silence}\n`,
    `Name             : ${name || 'unknown'}\n`,
    `Address          : ${address || 'unknown'}\n`,
    `Version          : ${version || 'unknown'}\n`,
    started_at === 0 ? '' : `Since            : ${formatUtc(fromUnixSeconds(started_at))}\n`,
    `X.509 authorities: ${slotsText(x509)}\n`,
    `JWT authorities  : ${slotsText(jwt)}\n`,
  ].join('')
}

function slotsText(slots: ServerSlots | null): string {
  const known = Object.entries({
    active: slots?.active,
    prepared: slots?.prepared,
    old: slots?.old,
  })
  const told = known.flatMap(([name, id]) => (id ? [`${id} (${name})`] : []))
  return told.length === 0 ? 'none' : told.join(', ')
}
