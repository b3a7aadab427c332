/**
 * The agent's admin socket, its limits and its reflection beside spire-agent's: the same commands and tools at both,
 * the same answers. And `steeple why` at an agent of ours under a server of SPIRE's.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Agent, type Kind, startAgent, startServer, steeple } from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

const KINDS = ['steeple', 'spire'] as const

interface AdminAgent extends AsyncDisposable {
  readonly agent: Agent
  readonly adminSocket: string
  /** An administrator's command of the given kind. */
  admin(by: Kind, ...args: readonly string[]): ReturnType<typeof run>
}

type Options = Parameters<typeof startAgent>[2]

async function startWithAdmin(
  kind: Kind,
  server: Parameters<typeof startAgent>[1],
  options: Options = {},
): Promise<AdminAgent> {
  const dir = mkdtempSync(join(tmpdir(), 'admin-'))
  const adminSocket = join(dir, 'private', 'admin.sock')
  const settings = `admin_socket_path = "${adminSocket}"\n${options?.settings ?? ''}`
  const agent = await startAgent(kind, server, { ...options, settings })
  return {
    agent,
    adminSocket,
    admin: (by, ...args) =>
      by === 'steeple'
        ? run(steeple, ['agent', ...args, '-socketPath', adminSocket])
        : run(peer('spire-agent'), [...args, '-socketPath', adminSocket]),
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const grpcurl = (socket: string, ...args: readonly string[]) =>
  run(peer('grpcurl'), ['-plaintext', ...args.slice(0, -1), `unix://${socket}`, ...args.slice(-1)])

/** Times, serial numbers and the token in the agent's ID differ between any two agents. */
const plain = (text: string) =>
  text
    .replace(/\d{4}-\d\d-\d\dT[\d:]{8}Z/g, 'TIME')
    .replace(/Uptime: +\S+/g, 'Uptime: UPTIME')
    .replace(/SERIALNUMBER=\d+/g, 'SERIALNUMBER=N')
    .replace(/join_token\/[0-9a-f-]{36}/g, 'join_token/TOKEN')
    .replace(/"(\w+_at|last_sync_success)":"\d+"/g, '"$1":"SECONDS"')
    .replace(/"uptime":\d+/g, '"uptime":0')

const COMMANDS: readonly (readonly string[])[] = [
  ['logger', 'get'],
  ['logger', 'set', '-level', 'warn'],
  ['logger', 'get', '-output', 'json'],
  ['logger', 'set', '-level', 'TRACE', '-output', 'json'],
  ['logger', 'set'],
  ['logger', 'set', '-level', 'loud'],
  ['logger', 'reset'],
  ['logger', 'reset', '-output', 'json'],
  ['debug', 'getinfo'],
  ['debug', 'getinfo', '-output', 'json'],
]

interop(
  'each command of an administrator says the same, whoever made it and whoever made the agent',
  ['spire-server', 'spire-agent'],
  async () => {
    await using server = await startServer('spire')
    await using ours = await startWithAdmin('steeple', server)
    await using theirs = await startWithAdmin('spire', server)
    for (const { adminSocket } of [ours, theirs]) {
      expect(statSync(adminSocket).mode & 0o777).toBe(0o770)
    }
    for (const command of COMMANDS) {
      const said: object[] = []
      for (const at of [ours, theirs]) {
        for (const by of KINDS) {
          const { code, stdout, stderr } = await at.admin(by, ...command)
          said.push({ code, stdout: plain(stdout), stderr: plain(stderr) })
        }
      }
      const [first, ...others] = said
      for (const one of others) expect(one, command.join(' ')).toEqual(first)
    }
  },
)

interop(
  'an agent of either kind refuses an admin socket that workloads could come across',
  ['spire-agent'],
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'admin-'))
    const config = (admin: string) => `agent {
  data_dir = "${dir}"
  server_address = "127.0.0.1"
  server_port = "1"
  socket_path = "${dir}/public/api.sock"
  admin_socket_path = "${dir}/${admin}"
  trust_domain = "example.org"
  insecure_bootstrap = true
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}`
    try {
      for (const [admin, isFine] of [
        ['public/admin.sock', false],
        ['public/deeper/admin.sock', false],
        ['private/../public/admin.sock', false],
        ['private/admin.sock', true],
        ['public2/admin.sock', true],
      ] as const) {
        const path = join(dir, 'agent.conf')
        writeFileSync(path, config(admin))
        const [ours, theirs] = [
          await run(steeple, ['agent', 'validate', '-config', path]),
          await run(peer('spire-agent'), ['validate', '-config', path]),
        ]
        expect([ours.code === 0, theirs.code === 0], admin).toEqual([isFine, isFine])
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  },
)

const SYMBOLS = [
  'SpiffeWorkloadAPI',
  'SpiffeWorkloadAPI.FetchX509SVID',
  'X509SVIDResponse',
  'X509SVID',
  'X509BundlesResponse',
  'JWTSVIDRequest',
  'JWTSVIDResponse',
  'ValidateJWTSVIDResponse',
  'WITSVIDResponse',
  'WITSVID',
  'grpc.health.v1.Health',
  'grpc.health.v1.HealthCheckResponse',
  'grpc.health.v1.HealthCheckResponse.ServingStatus',
  'grpc.health.v1.HealthListResponse',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'google.protobuf.Struct',
  'google.protobuf.Value',
  'nope.Nope',
]

interop(
  'a tool learns the same of both agents by reflection, on the public socket alone',
  ['spire-server', 'spire-agent', 'grpcurl'],
  async () => {
    await using server = await startServer('steeple')
    await using theirServer = await startServer('spire')
    await using ours = await startWithAdmin('steeple', theirServer)
    await using theirs = await startWithAdmin('spire', theirServer)
    const [own, other] = [
      await grpcurl(ours.agent.socket, 'list'),
      await grpcurl(theirs.agent.socket, 'list'),
    ]
    expect(own.stdout).toEqual(other.stdout)
    for (const symbol of SYMBOLS) {
      const describe = (socket: string) =>
        run(peer('grpcurl'), ['-plaintext', `unix://${socket}`, 'describe', symbol])
      const told = await describe(ours.agent.socket)
      expect(told, symbol).toEqual(await describe(theirs.agent.socket))
    }
    for (const socket of [
      ours.adminSocket,
      theirs.adminSocket,
      server.socket,
      theirServer.socket,
    ]) {
      expect((await grpcurl(socket, 'list')).stderr).toContain(
        'does not support the reflection API',
      )
    }
    for (const method of ['Check', 'List', 'Watch']) {
      const call = (socket: string) => grpcurl(socket, `grpc.health.v1.Health/${method}`)
      const answer = await call(ours.agent.socket)
      expect(answer, method).toEqual(await call(theirs.agent.socket))
    }
  },
)

interop(
  'both agents refuse the call that comes too soon, with the same status',
  ['spire-server', 'spire-agent', 'grpcurl'],
  async () => {
    await using server = await startServer('spire')
    // The bucket of one a second is not full again before the second call comes.
    const settings = 'experimental { ratelimit { fetch_x509_bundles = 1 } }'
    const said: string[] = []
    for (const kind of KINDS) {
      await using one = await startWithAdmin(kind, server, { settings })
      const fetch = () =>
        grpcurl(
          one.agent.socket,
          '-H',
          'workload.spiffe.io: true',
          'SpiffeWorkloadAPI/FetchX509Bundles',
        )
      const refusal = await until('a call to be refused for coming too soon', async () => {
        const answers = await Promise.all(Array.from({ length: 5 }, fetch))
        return answers.find(({ stderr }) => stderr.includes('Unavailable'))?.stderr
      })
      said.push(refusal)
      const sds = await one.agent.cli(kind, 'api', 'fetch', 'x509')
      expect(sds.stderr).toContain('no identity issued') // another method has its own bucket
    }
    expect(said[0]).toBe(said[1])
    expect(said[0]).toContain('rate limit exceeded for /SpiffeWorkloadAPI/FetchX509Bundles')
  },
)

interop(
  'steeple why leads from no identity to an identity, under a server of either kind',
  ['spire-server'],
  async () => {
    for (const kind of KINDS) {
      await using server = await startServer(kind)
      await using one = await startWithAdmin('steeple', server)
      await using workload = start('sleep', ['100'])
      const ask = async () => {
        const args = ['-pid', String(workload.pid), '-serverSocketPath', server.socket]
        const { code, stdout, stderr } = await run(steeple, [
          ...['why', ...args, '-socketPath', one.adminSocket, '-output', 'json'],
        ])
        expect([code, stderr]).toEqual([0, ''])
        return JSON.parse(stdout)
      }
      const create = (...args: readonly string[]) => server.cli(kind, 'entry', 'create', ...args)
      expect((await ask()).conclusion.kind).toBe('no-entries')

      const uid = process.geteuid?.() ?? 0
      const elsewhere = [
        '-parentID',
        'spiffe://example.org/elsewhere',
        '-spiffeID',
        'spiffe://example.org/web',
      ]
      await create(...elsewhere, '-selector', `unix:uid:${uid}`, '-selector', 'unix:gid:4242')
      await create(
        '-parentID',
        one.agent.id,
        '-spiffeID',
        'spiffe://example.org/near',
        '-selector',
        'unix:uid:4242',
      )
      await until('the agent to have the entry', async () => {
        const { agent } = await ask()
        return agent.entries_count === 1
      })
      const near = await ask()
      expect(near.conclusion.kind).toBe('selector-missing')
      expect(near.entries.map((entry: { missing: string[] }) => entry.missing)).toContainEqual([
        'unix:uid:4242',
      ])

      await create(...elsewhere, '-selector', `unix:uid:${uid}`)
      const wrong = await ask()
      expect(wrong.conclusion.kind).toBe('wrong-parent')

      // The command that it gives is one that helps.
      const [, , , , ...flags] = String(wrong.conclusion.command).split(' ')
      expect((await create(...flags)).code).toBe(0)
      const first = await ask()
      expect(['not-synced-yet', 'svid-pending', 'issued']).toContain(first.conclusion.kind)
      const issued = await until('the process to have an identity', async () => {
        const { conclusion } = await ask()
        return conclusion.kind === 'issued' ? conclusion : undefined
      })
      expect(issued.sentence).toContain('spiffe://example.org/web')
    }
  },
)

interop(
  'steeple why says of an agent that is not Steeple that it explains nothing',
  ['spire-server', 'spire-agent'],
  async () => {
    await using server = await startServer('spire')
    await using theirs = await startWithAdmin('spire', server)
    const asked = await run(steeple, [
      'why',
      '-pid',
      String(process.pid),
      '-socketPath',
      theirs.adminSocket,
    ])
    expect([asked.code, asked.stdout]).toEqual([1, ''])
    expect(asked.stderr).toBe(
      'Error: the agent at this socket explains nothing: only an agent of Steeple does\n',
    )
  },
)
