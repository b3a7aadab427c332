/** The commands of an agent's administrator at an agent that says what it is told; the texts are those of spire-agent 1.15.3. */
import { expect, test } from 'vitest'
import { beforeUsage, run } from '../run.ts'
import { openScriptedServer, type Script } from '../scripted-server.ts'

async function at(script: Script, line: string) {
  await using agent = await openScriptedServer(script)
  const ran = await run(`agent ${line} -socketPath ${agent.path}`)
  return { ran, asked: agent.asked }
}

const logger = { current_level: 'WARN', launch_level: 'DEBUG' }
const answers = { GetLogger: logger, SetLogLevel: logger, ResetLogLevel: logger }
const TEXT = 'Logger Level : warning\nLaunch Level : debug\n\n'

test.for([
  ['logger get', 'GetLogger', {}],
  ['logger set -level DEBUG', 'SetLogLevel', { new_level: 'DEBUG' }],
  ['logger set -level warning', 'SetLogLevel', { new_level: 'WARN' }],
  ['logger reset', 'ResetLogLevel', {}],
] as const)('%s shows the state of the log', async ([line, method, request]) => {
  const { ran, asked } = await at({ answers }, line)
  expect(ran).toEqual({ code: 0, out: TEXT, err: '' })
  expect(asked).toMatchObject([{ method, request }])
  const json = await at({ answers }, `${line} -output json`)
  expect(json.ran.out).toBe('{"current_level":"WARN","launch_level":"DEBUG"}\n')
})

test.for<readonly [string, string]>([
  ['logger set', 'Error: a value (-level) must be set\n'],
  ['logger set -level loud', 'Error: the value "loud" is not a valid setting\n'],
])('%s asks nobody', async ([line, err]) => {
  const { ran, asked } = await at({ answers }, line)
  expect(ran).toEqual({ code: 1, out: '', err })
  expect(asked).toEqual([])
})

test.for([
  ['logger get', 'GetLogger', 'error fetching logger: '],
  ['logger set -level info', 'SetLogLevel', 'failed to set log level: '],
  ['logger reset', 'ResetLogLevel', 'failed to reset logger: '],
  ['debug getinfo', 'GetInfo', ''],
] as const)('%s tells of a refusal', async ([line, method, failure]) => {
  const refusals = { [method]: { code: 13, details: 'broken' } }
  const { ran } = await at({ refusals }, line)
  const err = `Error: ${failure}rpc error: code = Internal desc = broken\n`
  expect(ran).toEqual({ code: 1, out: '', err })
})

test.for(['logger get', 'debug getinfo'])('%s says which socket is not there', async (line) => {
  const { code, err } = await run(`agent ${line} -socketPath /nonexistent/admin.sock`)
  expect(code).toBe(1)
  expect(err).toMatch(/^Error: /)
  expect(err).toContain(
    'dial unix ///nonexistent/admin.sock: connect: no such file or directory"\n',
  )
})

test.for(['-instance x', '-output xml'])('refuses %s, as spire-agent does', async (flags) => {
  const ran = await run(`agent logger get ${flags}`)
  expect(ran.code).toBe(1)
  expect(beforeUsage(ran)).not.toBe('')
})

const info = {
  uptime: 3_723,
  last_sync_success: 60,
  svids_count: 1,
  cached_x509_svids_count: 1,
  cached_jwt_svids_count: 2,
  cached_svidstore_x509_svids_count: 3,
  svid_chain: [
    { id: { trust_domain: 'example.org', path: '/spire/agent/a' }, subject: 'O=A', expires_at: 60 },
    { subject: 'O=B', expires_at: 120 },
  ],
}

test('debug getinfo tells of the agent and its own SVID', async () => {
  const { ran } = await at({ answers: { GetInfo: info } }, 'debug getinfo')
  expect(ran.out).toBe(
    [
      'Agent Debug Info:',
      '  Uptime:                          1h2m3s',
      '  Last Sync Success:               1970-01-01T00:01:00Z',
      '  Cached X.509 SVIDs:              1',
      '  Cached JWT SVIDs:                2',
      '  Cached SVID Store X.509 SVIDs:   3',
      '  SVID Chain:',
      '    [0] SPIFFE ID:  spiffe://example.org/spire/agent/a',
      '        Subject:    O=A',
      '        Expires At: 1970-01-01T00:01:00Z',
      '    [1] SPIFFE ID:  (none)',
      '        Subject:    O=B',
      '        Expires At: 1970-01-01T00:02:00Z',
      '',
    ].join('\n'),
  )
  const json = await at({ answers: { GetInfo: info } }, 'debug getinfo -output json')
  expect(JSON.parse(json.ran.out)).toMatchObject({ uptime: 3723, last_sync_success: '60' })
})

test('debug getinfo says never of an agent that has not heard from its server', async () => {
  const { ran } = await at({ answers: { GetInfo: { uptime: 1 } } }, 'debug getinfo')
  expect(ran.out).toContain('  Last Sync Success:               (never)\n')
  expect(ran.out).not.toContain('SVID Chain')
})
