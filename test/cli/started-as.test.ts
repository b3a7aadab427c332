/** Started through a symbolic link named as one of SPIRE's programs, steeple is that program: real links, real processes. */
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { steeple } from '../processes/cluster.ts'
import { run } from '../processes/process.ts'
import { startTestServer, type TestServer } from '../server/running-server.ts'
import { run as runHere } from './run.ts'

/** Each test starts a process or a few, perhaps on a busy machine. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const dir = mkdtempSync(join(tmpdir(), 'started-as-'))
const links = {
  'spire-server': join(dir, 'spire-server'),
  'spire-agent': join(dir, 'spire-agent'),
  other: join(dir, 'other'),
}
let server: TestServer

beforeAll(async () => {
  symlinkSync(steeple, links['spire-server'])
  // by way of another link, as the package managers' folders of programs are
  symlinkSync('./spire-server', links['spire-agent'])
  symlinkSync(steeple, links.other)
  server = await startTestServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

/** What differs between the two is how the program is called, and nothing else. */
const renamed = (text: string, from: string, to: string) => text.replaceAll(from, to)

test.for([
  ['spire-server', 'server', ''],
  ['spire-server', 'server', 'nonsense'],
  ['spire-server', 'server', 'entry'],
  ['spire-server', 'server', 'entry show -h'],
  ['spire-server', 'server', 'entry show -nonsense'],
  ['spire-server', 'server', 'bundle show -socketPath /nonexistent/api.sock'],
  ['spire-server', 'server', 'wit mint'],
  ['spire-agent', 'agent', ''],
  ['spire-agent', 'agent', 'api fetch jwt -h'],
  ['spire-agent', 'agent', 'api fetch x508'],
  ['spire-agent', 'agent', 'api fetch -socketPath /nonexistent/api.sock'],
  ['spire-agent', 'agent', 'healthcheck -socketPath /nonexistent/api.sock'],
] as const)('%s is steeple %s: %s', async ([name, word, line]) => {
  const words = line.split(' ').filter((one) => one !== '')
  const ours = await runHere([word, ...words])
  const theirs = await run(links[name], words)
  const expected = {
    code: ours.code,
    stdout: renamed(ours.out, `steeple ${word}`, name),
    stderr: renamed(ours.err, `steeple ${word}`, name),
  }
  expect(theirs).toEqual(expected)
})

test('as spire-server it speaks to a server, and has no commands but those of the server', async () => {
  const at = ['-socketPath', server.socketPath]
  const shown = await run(links['spire-server'], ['entry', 'show', ...at])
  expect(shown).toEqual({ code: 0, stdout: 'Found 0 entries\n', stderr: '' })
  for (const word of ['server', 'dev', 'completion']) {
    const refused = await run(links['spire-server'], [word, ...at])
    expect([refused.code, refused.stdout]).toEqual([127, ''])
  }
})

test.for([
  ['spire-server', 'conf/server/server.conf'],
  ['spire-agent', 'conf/agent/agent.conf'],
] as const)('%s looks for its configuration where SPIRE does', async ([name, path]) => {
  const ran = await run(links[name], ['run'], { cwd: dir })
  expect([ran.code, ran.stdout]).toEqual([1, ''])
  expect(ran.stderr).toContain(path)
})

test('under any other name it is steeple, whatever the surroundings say', async () => {
  const env = { STEEPLE_CALLED_AS: 'spire-server' }
  for (const program of [links.other, steeple]) {
    const { code, stdout } = await run(program, ['--help'], { env })
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Usage: steeple <command> [flags]'])
  }
})

test('a copy that is far from the package says what to do instead', async () => {
  const copy = join(dir, 'copy')
  copyFileSync(steeple, copy)
  expect(await run(copy, ['--help'])).toEqual({
    code: 1,
    stdout: '',
    stderr: `steeple: found no program beside ${copy}; make a symbolic link to steeple instead of a copy\n`,
  })
})
