/**
 * What a running server and agent leave open to others on the machine: ports, sockets, files, their memory, and what is
 * written about keys and tokens.
 */
import { createPrivateKey } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Agent,
  generateToken,
  launchAgent,
  type Server,
  startAgent,
  startServer,
} from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import { portsOf } from './listening.ts'
import { isRoot, onBothKinds } from './on-both-kinds.ts'
import { NOBODY, register } from './world.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777

/** Files that others than their owner may do anything with. */
function openFiles(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => (modeOf(path) & 0o077) !== 0)
}

onBothKinds((kind) => {
  let server: Server
  let agent: Agent
  const stack = new AsyncDisposableStack()
  beforeAll(async () => {
    server = stack.use(await startServer(kind))
    agent = stack.use(await startAgent(kind, server, { hasAdminSocket: true }))
  })
  afterAll(() => stack.disposeAsync())

  test('a server listens on its port alone and an agent on none, also after the signal that opens Node’s debugger', async () => {
    const pids = [server.process().pid, agent.process().pid]
    expect(pids.map(portsOf)).toEqual([[server.port], []])
    for (const pid of pids) process.kill(pid, 'SIGUSR1')
    expect((await agent.cli(kind, 'healthcheck')).code).toBe(0)
    expect((await server.cli(kind, 'healthcheck')).code).toBe(0)
    expect(pids.map(portsOf)).toEqual([[server.port], []])
  })

  test('the sockets of administrators are for owner and group, that of workloads is for everybody', () => {
    expect(modeOf(server.socket)).toBe(0o770)
    expect(modeOf(agent.adminSocket)).toBe(0o770)
    expect(modeOf(agent.socket)).toBe(0o777)
  })

  test('no file that a server or an agent writes can be read by others', () => {
    // The tests' own, without secrets.
    const given = [join(server.dir, 'server.conf'), join(server.dir, 'bundle.pem')]
    const ours = [...given, join(agent.dir, 'agent.conf')]
    const open = [server.dir, agent.dir].flatMap(openFiles).filter((path) => !ours.includes(path))
    // SPIRE leaves its database and the agent's certificates to the umask.
    expect(open.length > 0).toBe(kind === 'spire')
  })

  test.runIf(isRoot)(
    'another process of the agent’s own user cannot read its memory, and it leaves no core dump',
    async () => {
      chmodSync(server.dir, 0o755)
      await using ofNobody = await startAgent(kind, server, {
        under: (dir) => [
          ...[
            'sh',
            '-c',
            `chown -R ${NOBODY} ${dir} && exec setpriv --reuid=${NOBODY} --clear-groups "$@"`,
          ],
          'sh',
        ],
      })
      // The files of a process that the kernel may not dump are root's.
      const owner = statSync(`/proc/${ofNobody.process().pid}/mem`).uid
      expect(owner).toBe(kind === 'spire' ? NOBODY : 0)
    },
  )
})

describe('a socket', () => {
  let server: Server
  beforeAll(async () => {
    server = await startServer('steeple')
  })
  afterAll(() => server[Symbol.asyncDispose]())

  /** An agent whose socket's place was prepared by these commands. */
  const launchAfter = (commands: (socket: string) => string) =>
    launchAgent('steeple', server, {
      under: (dir) => [
        ...[
          'sh',
          '-c',
          `mkdir -p ${dir}/public && ${commands(`${dir}/public/api.sock`)} && exec "$@"`,
        ],
        'sh',
      ],
    })

  test.for([
    [
      'a file that is there',
      (socket: string) => `: > ${socket}.target && ln -s ${socket}.target ${socket}`,
    ],
    ['a file that is not there', (socket: string) => `ln -s ${socket}.target ${socket}`],
    ['the socket of somebody else', (socket: string) => `ln -s ${server.socket} ${socket}`],
    ['a directory', (socket: string) => `ln -s /tmp ${socket}`],
  ] as const)('is not made through a symbolic link to %s', async ([, commands]) => {
    await using agent = await launchAfter(commands)
    expect(await agent.process().ended).toBe(1)
    expect(agent.process().output()).toContain('exists and is not a socket')
    expect(existsSync(server.socket)).toBe(true)
    const target = `${agent.socket}.target`
    if (existsSync(target)) expect(readFileSync(target, 'utf8')).toBe('')
  })

  test('in a directory that everybody may write is said to be unsafe', async () => {
    await using agent = await launchAfter((socket) => `chmod 777 $(dirname ${socket})`)
    await agent.process().line(/A socket is not safe where it is.*everybody may write/)
  })

  test.runIf(isRoot)('in a directory of another user is said to be unsafe', async () => {
    await using agent = await launchAfter((socket) => `chown ${NOBODY} $(dirname ${socket})`)
    await agent.process().line(/A socket is not safe where it is.*user 65534 owns/)
  })
})

/** How a private key could be written: parts of its PKCS#8 in base64, and its secret number in each common form. */
function writingsOf(pkcs8: Buffer): readonly string[] {
  const { d = '' } = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    format: 'jwk',
  })
  const number = Buffer.from(d, 'base64url')
  const base64 = pkcs8.toString('base64')
  const middle = base64.length / 2
  return [
    base64.slice(middle - 16, middle + 16),
    ...['hex', 'base64url', 'base64'].map((form) => number.toString(form as 'hex').slice(0, 40)),
    [...number.subarray(0, 12)].join(','),
    [...number.subarray(0, 12)].join(' '),
  ]
}

test('of all keys and tokens of a whole run nothing is in the logs at debug level, the audit log included', async () => {
  await using server = await startServer('steeple', { settings: 'audit_log_enabled = true' })
  const unused = await generateToken(server)
  const used = await generateToken(server)
  await using agent = await startAgent('steeple', server, { joinToken: used })
  await register(server, agent, 'w', [`unix:uid:${process.getuid?.()}`])
  const dir = mkdtempSync(join(tmpdir(), 'steeple-secrets-'))
  try {
    await until(
      'the SVID',
      async () => (await agent.cli('steeple', 'api', 'fetch', 'x509', '-write', dir)).code === 0,
    )
    const jwt = (await agent.cli('steeple', 'api', 'fetch', 'jwt', '-audience', 'a')).stdout
    const token = jwt.match(/eyJ[\w.-]+/)?.[0] ?? ''
    const svid = ['api', 'validate', 'jwt', '-audience', 'b', '-svid', token]
    const refused = await agent.cli('steeple', ...svid)
    expect(refused.code).toBe(1)
    await using again = await launchAgent('steeple', server, { joinToken: used })
    expect(await again.process().ended).toBe(1)

    const files = [join(server.dir, 'keys.json'), join(agent.dir, 'data', 'keys.json')]
    // Cast: as SPIRE's disk key managers write them.
    const keys = files.flatMap((path) =>
      Object.values(JSON.parse(readFileSync(path, 'utf8')).keys as Record<string, string>),
    )
    const written = readFileSync(join(dir, 'svid.0.key'), 'utf8').replaceAll(
      /-----[^-]+-----|\s/g,
      '',
    )
    const secrets = [...keys, written].flatMap((key) => writingsOf(Buffer.from(key, 'base64')))
    expect(secrets.length).toBeGreaterThan(20)
    const said = [server, agent, again].map((one) => one.process().output())
    for (const text of [...said, refused.stdout + refused.stderr]) {
      for (const secret of [...secrets, token, token.slice(-40)]) expect(text).not.toContain(secret)
      expect(text).not.toContain(unused)
    }
    expect(said[0]).toContain('level=')
  } finally {
    rmSync(dir, { recursive: true })
  }
})
