/** What a process gets that is not, or no longer, who it was; and what the logs of a whole run give away. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Agent, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { run, until } from '../processes/process.ts'

const NOBODY = 65_534

async function register(server: Server, agent: Agent, name: string, uid: number | undefined) {
  const spiffeId = `spiffe://example.org/${name}`
  const words = ['-parentID', agent.id, '-spiffeID', spiffeId, '-selector', `unix:uid:${uid}`]
  const created = await server.cli('steeple', 'entry', 'create', ...words)
  expect(created.code, created.stderr).toBe(0)
}

/** Connects, does what its second argument says, and only then asks; prints the answer, or how the connection ended. */
const TURNCOAT = `
const [, , path, become] = process.argv
const socket = require('node:net').connect(path, () => {
  eval(become)
  const session = require('node:http2').connect('http://localhost', { createConnection: () => socket })
  const end = (text) => { console.log(text); process.exit(0) }
  session.on('error', ({ code }) => end(code))
  session.on('close', () => end('closed'))
  const headers = { 'content-type': 'application/grpc', te: 'trailers', 'workload.spiffe.io': 'true' }
  const call = session.request({ ':method': 'POST', ':path': '/SpiffeWorkloadAPI/FetchX509SVID', ...headers })
  call.on('error', () => {})
  call.on('data', (bytes) => end(/spiffe:[/.\\w]+/.exec(bytes.toString('latin1'))?.[0]))
  call.end(Buffer.alloc(5))
})
`

test.skipIf(process.getuid?.() !== 0)(
  'a process that becomes another user after it connected gets the identity of neither',
  async () => {
    await using server = await startServer('steeple')
    await using agent = await startAgent('steeple', server)
    await register(server, agent, 'root', 0)
    await register(server, agent, 'nobody', NOBODY)
    chmodSync(agent.dir, 0o755)
    const dir = mkdtempSync(join(tmpdir(), 'steeple-turncoat-'))
    const program = join(dir, 'turncoat.cjs')
    writeFileSync(program, TURNCOAT)
    const ask = async (become: string) =>
      (await run(process.execPath, [program, agent.socket, become])).stdout.trim()
    try {
      await until(
        'the identity of root',
        async () => (await ask('')) === 'spiffe://example.org/root',
      )
      for (const become of [
        `process.setgid(${NOBODY}); process.setuid(${NOBODY})`,
        `process.seteuid(${NOBODY})`,
        `process.setegid(${NOBODY})`,
      ]) {
        expect(await ask(become), become).toMatch(/^(ECONNRESET|closed)$/)
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  },
)

test('no key, no token and no join token is in the logs of a whole run, at debug level', async () => {
  await using server = await startServer('steeple')
  await using agent = await startAgent('steeple', server)
  await register(server, agent, 'w', process.getuid?.())
  await until(
    'the SVID',
    async () => (await agent.cli('steeple', 'api', 'fetch', 'x509')).code === 0,
  )
  const fetched = await agent.cli('steeple', 'api', 'fetch', 'jwt', '-audience', 'a')
  const token = fetched.stdout.match(/eyJ[\w.-]+/)?.[0] ?? ''
  expect(token).not.toBe('')
  const forged = `${token.slice(0, -4)}AAAA`
  for (const svid of [token, forged]) {
    await agent.cli('steeple', 'api', 'validate', 'jwt', '-audience', 'b', '-svid', svid)
  }
  await server.cli(
    'steeple',
    'jwt',
    'mint',
    '-audience',
    'a',
    '-spiffeID',
    'spiffe://example.org/m',
  )
  await server.cli('steeple', 'x509', 'mint', '-spiffeID', 'spiffe://example.org/m')
  const generated = await server.cli('steeple', 'token', 'generate')
  const unused = generated.stdout.match(/Token: (\S+)/)?.[1] ?? ''
  expect(unused).not.toBe('')
  for (const log of [server.process().output(), agent.process().output()]) {
    expect(log).toContain('level=')
    expect(log).not.toMatch(/eyJ|-----BEGIN|MII[A-Za-z]/)
    expect(log).not.toContain(unused)
  }
})
