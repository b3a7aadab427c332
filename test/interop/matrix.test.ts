/**
 * The same story told by every combination of our server and SPIRE's with our agent and SPIRE's, from the same
 * configuration files: attest by join token, register, fetch with foreign clients, change, delete, restart.
 */
import { describe, expect } from 'vitest'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'
import { interop, type Peer, peer } from './interop.ts'

const python = `${import.meta.dirname}/clients/python/client.py`

const register = async (server: Server, agent: Agent, ...more: readonly string[]) => {
  const args = ['-parentID', agent.id, '-selector', `unix:uid:${process.getuid?.()}`, ...more]
  const created = await server.cli('spire', 'entry', 'create', ...args, '-output', 'json')
  expect(created.stderr).toBe('')
  expect(created.code).toBe(0)
  // Cast: protojson of BatchCreateEntryResponse.
  const { results } = JSON.parse(created.stdout) as { results: { entry: { id: string } }[] }
  return results[0]?.entry.id ?? ''
}

const environment = (agent: Agent) => ({ SPIFFE_ENDPOINT_SOCKET: `unix://${agent.socket}` })

const goFetch = (agent: Agent) =>
  run(peer('go-client'), ['fetch', 'audience'], { env: environment(agent) })

interface Line {
  readonly svids?: readonly {
    readonly id: string
    readonly hint: string
    readonly verified: string
  }[]
  readonly tokens?: readonly string[]
  readonly error?: string
}

async function story(serverKind: Kind, agentKind: Kind): Promise<void> {
  await using server = await startServer(serverKind)
  await using agent = await startAgent(agentKind, server)

  // nobody is registered: refused with the text that scripts look for
  const refused = await agent.cli('spire', 'api', 'fetch', 'x509')
  expect(refused.code).toBe(1)
  expect(refused.stderr + refused.stdout).toContain('no identity issued')

  // go-spiffe and py-spiffe fetch, verify and validate X.509- and JWT-SVIDs
  const first = await register(
    server,
    agent,
    '-spiffeID',
    'spiffe://example.org/first',
    '-hint',
    'one',
  )
  const fetched = await until('go-spiffe to fetch', async () => {
    const got = await goFetch(agent)
    return got.code === 0 ? got : undefined
  })
  const line: Line = JSON.parse(fetched.stdout)
  expect(line.svids).toMatchObject([
    { id: 'spiffe://example.org/first', hint: 'one', verified: 'ok' },
  ])
  expect(line.tokens).toEqual(['spiffe://example.org/first'])
  const fromPython = await run(peer('py-spiffe'), [python, 'fetch', 'audience'], {
    env: environment(agent),
  })
  expect(fromPython.stderr).toBe('')
  expect(JSON.parse(fromPython.stdout)).toMatchObject({ tokens: ['spiffe://example.org/first'] })

  // SPIRE's own client: fetch, validate
  const token = await agent.cli('spire', 'api', 'fetch', 'jwt', '-audience', 'a', '-output', 'json')
  // Cast: the JSON of `api fetch jwt` is a pair of responses.
  const [{ svids }] = JSON.parse(token.stdout) as [{ svids: { svid: string }[] }]
  const valid = await agent.cli(
    'spire',
    'api',
    'validate',
    'jwt',
    '-audience',
    'a',
    '-svid',
    svids[0]?.svid ?? '',
  )
  expect(valid.stdout).toContain('SVID is valid.')
  const invalid = await agent.cli(
    'spire',
    'api',
    'validate',
    'jwt',
    '-audience',
    'b',
    '-svid',
    svids[0]?.svid ?? '',
  )
  expect(invalid.code).toBe(1)

  // watching clients see entries come and go on their open streams
  await using spireWatcher = start(peer('spire-agent'), [
    'api',
    'watch',
    '-socketPath',
    agent.socket,
  ])
  await spireWatcher.line(/SPIFFE ID:\s+spiffe:\/\/example.org\/first/)
  await using watcher = start(peer('go-client'), ['watch'], {
    env: environment(agent),
  })
  await watcher.line(/"id":"spiffe:\/\/example.org\/first"/)
  const second = await register(server, agent, '-spiffeID', 'spiffe://example.org/second')
  await watcher.line(/"id":"spiffe:\/\/example.org\/second"/)
  await spireWatcher.line(/SPIFFE ID:\s+spiffe:\/\/example.org\/second/)
  expect((await server.cli('spire', 'entry', 'delete', '-entryID', first)).code).toBe(0)
  await until('the first identity to go', async () => {
    const last: Line = JSON.parse(watcher.output().split('\n').at(-1) ?? '{}')
    return last.svids?.length === 1 && last.svids[0]?.id === 'spiffe://example.org/second'
  })

  // the server restarts: nothing acknowledged is lost and the agent goes on
  await server.restart()
  const third = await register(server, agent, '-spiffeID', 'spiffe://example.org/third')
  await watcher.line(/"id":"spiffe:\/\/example.org\/third"/)

  // the agent restarts without a new token
  await agent.restart()
  await until('the agent to serve again', async () => (await goFetch(agent)).code === 0)

  for (const id of [second, third]) {
    expect((await server.cli('spire', 'entry', 'delete', '-entryID', id)).code).toBe(0)
  }
  await until('the identities to end', async () => (await goFetch(agent)).code === 1)
  expect((await goFetch(agent)).stderr).toContain('no identity issued')
}

describe.concurrent('attest, register, fetch, change, delete, restart', () => {
  const kinds: readonly Kind[] = ['steeple', 'spire']
  const clients: readonly Peer[] = ['go-client', 'py-spiffe', 'spire-server', 'spire-agent']
  for (const server of kinds) {
    for (const agent of kinds) {
      interop(`${server} server with ${agent} agent`, clients, () => story(server, agent))
    }
  }
})
