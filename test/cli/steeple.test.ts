/** The `steeple` program as a process: what only a process has are its streams, its exit code and its signals. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { steeple } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { run, start } from '../processes/process.ts'

const dir = mkdtempSync(join(tmpdir(), 'cli-'))
afterAll(() => rmSync(dir, { recursive: true }))

const config = (name: string, text: string) => {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

const serverConf = (more = '') => `server {
  bind_address = "127.0.0.1"
  bind_port = "8081"
  trust_domain = "example.org"
  data_dir = "${dir}/data"
  socket_path = "${dir}/api.sock"
  ${more}
}
plugins {
  DataStore "sql" {
    plugin_data { database_type = "sqlite3"  connection_string = "${dir}/data/db.sqlite3" }
  }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
}
`
const agentConf = `agent {
  data_dir = "${dir}/agent"
  server_address = "127.0.0.1"
  server_port = "8081"
  trust_domain = "example.org"
  insecure_bootstrap = true
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
`

test.concurrent.for([
  ['--help', 0, /^Usage: steeple/, /^$/],
  ['', 127, /^$/, /^Usage: steeple/],
  ['server entry show -nonsense', 1, /^$/, /^flag provided but not defined: -nonsense\n/],
  ['server -version', 0, /^$/, /^\d+\.\d+\.\d+.*\n$/],
] as const)('"steeple %s" ends with %i', async ([line, code, out, err]) => {
  const words = line === '' ? [] : line.split(' ')
  const ran = await run(steeple, words)
  expect(ran.code).toBe(code)
  expect(ran.stdout).toMatch(out)
  expect(ran.stderr).toMatch(err)
})

test('validate says of good files that they are valid', async () => {
  const server = ['server', 'validate', '-config', config('server.conf', serverConf())]
  expect(await run(steeple, server)).toEqual({
    code: 0,
    stdout: 'SPIRE server configuration file is valid.\n',
    stderr: '',
  })
  const agent = ['agent', 'validate', '-config', config('agent.conf', agentConf)]
  expect(await run(steeple, agent)).toEqual({
    code: 0,
    stdout: 'SPIRE agent configuration file is valid.\n',
    stderr: '',
  })
})

test('validate tells every mistake with its place, and counts the flags in', async () => {
  const path = config('bad.conf', serverConf('log_levl = "info"\n  ca_ttl = "a day"'))
  const ran = await run(steeple, ['server', 'validate', '-config', path, '-logFormat', 'xml'])
  expect([ran.code, ran.stdout]).toEqual([1, ''])
  expect(ran.stderr).toMatch(/^SPIRE server configuration file is invalid:\n/)
  expect(ran.stderr).toContain('-logFormat: ')
  expect(ran.stderr).toContain('bad.conf:7:3: ')
  expect(ran.stderr).toContain('bad.conf:8:3: ')
})

test('validate and run name the file that there is not', async () => {
  for (const command of ['validate', 'run']) {
    const ran = await run(steeple, ['server', command, '-config', join(dir, 'none.conf')])
    expect([ran.code, ran.stdout]).toEqual([1, ''])
    expect(ran.stderr).toContain(`unable to read "${dir}/none.conf": ENOENT`)
    expect(ran.stderr).toContain('-config')
  }
})

test('run serves until SIGTERM, ends with 0, and leaves no socket', async () => {
  const path = config('run.conf', serverConf())
  const args = ['-config', path, '-serverPort', String(await freePort())]
  await using server = start(steeple, ['server', 'run', ...args])
  await server.line(/network=tcp/)
  const health = await run(steeple, ['server', 'healthcheck', '-socketPath', `${dir}/api.sock`])
  expect(health.code, server.output()).toBe(0)
  server.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  const after = await run(steeple, ['server', 'healthcheck', '-socketPath', `${dir}/api.sock`])
  expect(after.code).toBe(1)
})

test('run says once, in plain words, why it cannot start', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  const path = config('taken.conf', serverConf())
  const ran = await run(steeple, ['server', 'run', '-config', path, '-serverPort', port])
  taken.close()
  expect(ran.code).toBe(1)
  expect(ran.stderr).toMatch(/^Error: [^\n]*\n$/)
  expect(ran.stderr).toContain(port)
})

test('a log file that cannot be opened is named', async () => {
  const path = config('log.conf', serverConf(`log_file = "${dir}/none/server.log"`))
  const ran = await run(steeple, ['server', 'run', '-config', path])
  expect(ran).toEqual({
    code: 1,
    stdout: '',
    stderr: `Error: open ${dir}/none/server.log: no such file or directory\n`,
  })
})
