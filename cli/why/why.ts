/** `steeple why`: why a process has no identity, and the command that would give it one. */
import { closestEntries } from '../../agent/explain/closest-entries.ts'
import { selectorsOf } from '../../agent/explain/facts.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { ADMIN_SOCKET_PATH } from '../agent/admin.ts'
import { defineCommand, type Session } from '../command.ts'
import { integer, outputFormat, path, required } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import { connectAgentAdmin, connectServer } from '../rpc/endpoint.ts'
import { askAgent } from './ask-agent.ts'
import { askServer } from './ask-server.ts'
import { type Explanation, explanation } from './explanation.ts'
import { explanationJson } from './explanation-json.ts'
import { explanationText } from './explanation-text.ts'

/** Of what the server lists, as many as may matter. */
const MAX_ASKED_ABOUT = 100

export const why = defineCommand({
  summary: 'Say why a process has no identity, and which command would give it one',
  details: 'Exit code 0: there is an explanation; 1: there is none, e.g. no such process.',
  examples: [
    'why -pid 4711',
    'why -pid 4711 -serverSocketPath /tmp/spire-server/private/api.sock -output json',
  ],
  flags: {
    pid: required(integer('number of the process, as the agent sees it')),
    socketPath: path(
      'admin socket of the agent, as its admin_socket_path has it',
      ADMIN_SOCKET_PATH,
    ),
    serverSocketPath: path('admin socket of the server, to look at entries the agent has not got'),
    output: outputFormat('form of the output'),
  },
  async run({ pid, socketPath, serverSocketPath, output }, session) {
    if (pid <= 0)
      throw new IdentityError('REQUEST_INVALID', 'the number of a process (-pid) must be set')
    const told = await explain({ pid, socketPath, serverSocketPath }, session)
    if (output === 'json') printJson(session.terminal, explanationJson(told))
    else session.terminal.print(explanationText(told))
    return 0
  },
})

interface Question {
  readonly pid: number
  readonly socketPath: string
  /** Empty: no server is asked. */
  readonly serverSocketPath: string
}

async function explain(
  { pid, socketPath, serverSocketPath }: Question,
  session: Session,
): Promise<Explanation> {
  using agent = connectAgentAdmin(socketPath === '' ? ADMIN_SOCKET_PATH : socketPath, session)
  const first = await askAgent(agent, { pid, entryIds: [] }, session.clock)
  if (serverSocketPath === '') return explanation(first, undefined)
  using server = connectServer({ socketPath: serverSocketPath, instance: '' }, session)
  const answer = await askServer(server, first.agentId)
  // What the server lists may be known to the agent without being among what the agent told of.
  const close = closestEntries(answer.entries, selectorsOf(first), MAX_ASKED_ABOUT)
  const entryIds = close.map(({ entry }) => entry.entryId)
  return explanation(await askAgent(agent, { pid, entryIds }, session.clock), answer)
}
