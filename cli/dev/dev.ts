/**
 * `steeple dev`: server, agent and Workload API in one process, to try things out. Everything lives in one
 * directory that is removed in the end; private keys never leave the memory.
 */
import { runAgent } from '../../agent/main.ts'
import { type Log, openLog } from '../../log/open-log.ts'
import { runServer } from '../../server/main.ts'
import { aborted } from '../../spiffe/aborted.ts'
import { spiffeId } from '../../spiffe/id.ts'
import { defineCommand, type Session } from '../command.ts'
import { choice, path, text } from '../flag/kinds.ts'
import { connectServer } from '../rpc/endpoint.ts'
import { readId } from '../server/spiffe-id.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { readVersion } from '../version.ts'
import { admit } from './admit.ts'
import { type DevOptions, devAgentConfig, devPaths, devServerConfig } from './dev-configs.ts'
import { openDevDirectory } from './dev-directory.ts'
import { devUser } from './dev-user.ts'
import { welcome } from './welcome.ts'

const UMASK = 0o077

export const dev = defineCommand({
  summary: 'Run a server, an agent and a Workload API to try things out; nothing of it stays',
  examples: ['dev', 'dev -trustDomain test.example -spiffeID spiffe://test.example/me'],
  flags: {
    dir: path('new or empty directory to work in, else a temporary one; emptied in the end'),
    logLevel: choice('how much to log', ['debug', 'info', 'warn', 'error'], 'warn'),
    spiffeID: {
      ...text('SPIFFE ID for the processes of the current user'),
      defaultText: 'spiffe://<trustDomain>/dev/<user>',
    },
    trustDomain: text('trust domain', 'example.org'),
  },
  async run({ dir, logLevel, spiffeID, trustDomain }, session) {
    process.umask(UMASK)
    using directory = openDevDirectory(dir)
    using stop = stopOnSignals(directory.remove)
    const options = { directory: directory.path, trustDomain, logLevel }
    await runAll(options, spiffeID, session, stop.signal)
    return 0
  },
})

/** The agent stops before the server, so that it says goodbye to somebody. */
async function runAll(
  options: DevOptions,
  wantedId: string,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const config = devServerConfig(options)
  const { trustDomain } = config
  const user = devUser()
  const id = wantedId === '' ? spiffeId(trustDomain, `/dev/${user.name}`) : readId(wantedId)
  using opened = openLog(config.log)
  await using server = start((deps) =>
    runServer(config, { ...deps, ...base(session, opened.log, 'server') }),
  )
  const listening = await server.ready(signal)
  if (listening === undefined) return
  const paths = devPaths(options.directory)
  const socket = { socketPath: paths.serverSocket, instance: '' }
  using endpoint = connectServer(socket, session)
  const wanted = { trustDomain, bundlePath: paths.bundle, id, uid: user.uid }
  const { joinToken, agentId } = await admit(endpoint, wanted)
  const agentConfig = devAgentConfig(options, { port: listening.port, joinToken })
  await using agent = start((deps) =>
    runAgent(agentConfig, {
      ...base(session, opened.log, 'agent'),
      version: readVersion(),
      signal: deps.signal,
      onReady: () => deps.onReady({ port: listening.port }),
    }),
  )
  if ((await agent.ready(signal)) === undefined) return
  session.terminal.print(welcome({ paths, trustDomain, id, agentId, uid: user.uid }))
  await Promise.race([aborted(signal), server.ended, agent.ended])
}

const base = ({ clock }: Session, log: Log, part: string) => ({ clock, log: log.child({ part }) })

interface Started extends AsyncDisposable {
  /** Undefined when the signal came first. @throws what ended it */
  ready(signal: AbortSignal): Promise<{ readonly port: number } | undefined>
  readonly ended: Promise<void>
}

interface PartDeps {
  readonly signal: AbortSignal
  readonly onReady: (listening: { readonly port: number }) => void
}

function start(run: (deps: PartDeps) => Promise<void>): Started {
  const stop = new AbortController()
  const listening = Promise.withResolvers<{ readonly port: number }>()
  const ended = run({ signal: stop.signal, onReady: listening.resolve })
  ended.catch(() => {}) // told by whoever waits for it
  return {
    ended,
    ready: async (signal) =>
      await Promise.race([listening.promise, ended.then(() => undefined), aborted(signal)]),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended.catch(() => {})
    },
  }
}
