/** The same metric names, health answers and audit fields as SPIRE's, asked of both kinds of program side by side. */
import { expect, test } from 'vitest'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { until } from '../processes/process.ts'
import { asking, converseOnce, fetchOnce } from './sds/ask.ts'

interface Observed extends AsyncDisposable {
  readonly server: Server
  readonly agent: Agent
  readonly url: (program: 'server' | 'agent', what: 'metrics' | 'live' | 'ready') => string
}

const blocks = (metrics: number, health: number) => `
telemetry { Prometheus { host = "127.0.0.1" port = ${metrics} } }
health_checks { listener_enabled = true bind_address = "127.0.0.1" bind_port = "${health}" }`

async function observe(kind: Kind): Promise<Observed> {
  const ports = {
    server: { metrics: await freePort(), health: await freePort() },
    agent: { metrics: await freePort(), health: await freePort() },
  }
  const server = await startServer(kind, {
    settings: 'audit_log_enabled = true',
    blocks: blocks(ports.server.metrics, ports.server.health),
  })
  const agent = await startAgent(kind, server, {
    hasAdminSocket: true,
    blocks: blocks(ports.agent.metrics, ports.agent.health),
  })
  return {
    server,
    agent,
    url: (program, what) =>
      `http://127.0.0.1:${ports[program][what === 'metrics' ? 'metrics' : 'health']}/${what}`,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** One of everything that a server and an agent are asked every day. */
async function work({ server, agent }: Observed): Promise<void> {
  const uid = `unix:uid:${process.getuid?.()}`
  const entry = ['-parentID', agent.id, '-spiffeID', 'spiffe://example.org/w', '-selector', uid]
  expect((await server.cli('spire', 'entry', 'create', '-entryID', 'w', ...entry)).code).toBe(0)
  await until('the workload to have its SVID', async () => {
    return (await agent.cli('spire', 'api', 'fetch', 'x509')).code === 0
  })
  await agent.cli('spire', 'api', 'fetch', 'jwt', '-audience', 'x')
  await fetchOnce(agent.socket, asking(['default']))
  await converseOnce(agent.socket, [{ request: asking(['ROOTCA']), isAnswered: true }])
  await agent.adminCli('spire', 'debug', 'getinfo')
  await agent.adminCli('spire', 'logger', 'get')
  await server.cli('spire', 'entry', 'update', '-entryID', 'w', ...entry, '-hint', 'changed')
  await server.cli('spire', 'entry', 'show')
  await server.cli('spire', 'agent', 'list')
  await server.cli('spire', 'entry', 'delete', '-entryID', 'nope')
}

async function namesOf(url: string): Promise<ReadonlySet<string>> {
  const text = await (await fetch(url)).text()
  return new Set(
    [...text.matchAll(/^(spire_(?:server|agent)_[a-zA-Z0-9_]+)\{(.*)\} /gm)].map(
      ([, name, labels]) => {
        const names = [...(labels ?? '').matchAll(/([a-z_]+)="/g)].map((match) => match[1])
        return `${name} ${names
          .filter((one) => one !== 'quantile')
          .sort()
          .join(',')}`
      },
    ),
  )
}

/** What SPIRE measures of itself that has no counterpart here. */
const ITS_OWN =
  /_(runtime|rateLimit|(server|agent)_key_manager|store_store|bootstrap|bootstrapped)(_|\b)|_datastore_(bundle_append|federation_relationship_list|node_selectors_list)/

test('whatever SPIRE’s dashboards ask for is measured under the same name with the same labels', async () => {
  await using theirs = await observe('spire')
  await using ours = await observe('steeple')
  for (const observed of [theirs, ours]) await work(observed)
  // Our own agent has its entries pushed; this one asks for them.
  await using _polling = await startAgent('spire', ours.server)
  for (const program of ['server', 'agent'] as const) {
    const wanted = [...(await namesOf(theirs.url(program, 'metrics')))].filter(
      (name) => !ITS_OWN.test(name),
    )
    const have = await namesOf(ours.url(program, 'metrics'))
    expect(wanted.length).toBeGreaterThan(20)
    expect(wanted.filter((name) => !have.has(name))).toEqual([])
  }
})

test('probes get the same answer from either', async () => {
  await using theirs = await observe('spire')
  await using ours = await observe('steeple')
  for (const program of ['server', 'agent'] as const) {
    for (const what of ['live', 'ready'] as const) {
      const [wanted, seen] = await Promise.all(
        [theirs, ours].map(async ({ url }) => {
          const response = await fetch(url(program, what))
          return { status: response.status, body: await response.json() }
        }),
      )
      expect(seen).toEqual(wanted)
    }
  }
})

/** Names of the fields in the audit lines of a method. */
function fieldsOf({ server }: Observed, method: string): ReadonlySet<string> {
  const lines = server.process().output().split('\n')
  const audit = lines.filter(
    (line) => / type=audit/.test(line) && line.includes(` method=${method} `),
  )
  return new Set(
    audit.flatMap((line) => [...line.matchAll(/ ([a-z_]+)=/g)].map(([, name]) => name ?? '')),
  )
}

/** `subsystem_name` is called `component` here; a caller's own ID stands in `caller_id`. */
const NOT_OURS: ReadonlySet<string> = new Set(['subsystem_name', 'spiffe_id'])

test('the audit log has the fields that SPIRE’s has, and tells no token', async () => {
  await using theirs = await observe('spire')
  await using ours = await observe('steeple')
  for (const observed of [theirs, ours]) await work(observed)
  for (const method of ['AttestAgent', 'PostStatus', 'CreateJoinToken', 'ListAgents']) {
    const wanted = fieldsOf(theirs, method)
    expect(wanted.size).toBeGreaterThan(3)
    const have = fieldsOf(ours, method)
    const missing = [...wanted].filter((name) => !have.has(name) && !NOT_OURS.has(name))
    expect([method, missing]).toEqual([method, []])
  }
  const token = ours.agent.id.split('/').at(-1) ?? ''
  const audit = ours.server.process().output().split('\n')
  for (const line of audit.filter(
    (one) => / type=audit/.test(one) && one.includes('CreateJoinToken'),
  )) {
    expect(line).not.toContain(token)
  }
})
