/** Upkeep by command: logger, debug, agent purge, and answers of the newer services that no server of ours gives. */
import { expect, test } from 'vitest'
import { run } from '../run.ts'
import { openScriptedServer, type Script } from '../scripted-server.ts'
import { failed, openOperator, printed } from './operator.ts'

async function at(script: Script, line: string) {
  await using server = await openScriptedServer(script)
  const ran = await run(`server ${line} -socketPath ${server.path}`)
  return { ran, asked: server.asked }
}

test('the log level is shown, changed and put back', async () => {
  await using operator = await openOperator()
  const { steeple } = operator
  const json = await steeple('logger get -output json')
  const launch: string = JSON.parse(json.out).launch_level
  const word = launch.toLowerCase()
  expect(await steeple('logger set -level Warning')).toEqual(
    printed(`Logger Level : warning\nLaunch Level : ${word}\n\n`),
  )
  expect(await steeple('logger get')).toEqual(
    printed(`Logger Level : warning\nLaunch Level : ${word}\n\n`),
  )
  expect(await steeple('logger reset')).toEqual(
    printed(`Logger Level : ${word}\nLaunch Level : ${word}\n\n`),
  )
  expect(await steeple('logger set')).toEqual(failed('a value (-level) must be set'))
  expect(await steeple('logger set -level loud')).toEqual(
    failed('the value "loud" is not a valid setting'),
  )
})

test('debug getinfo tells of the server and its own SVID', async () => {
  const info = {
    uptime: 3_723,
    agents_count: 1,
    entries_count: 2,
    federated_bundles_count: 3,
    svid_chain: [
      {
        id: { trust_domain: 'example.org', path: '/spire/server' },
        subject: 'O=A',
        expires_at: 60,
      },
    ],
  }
  const { ran } = await at({ answers: { GetInfo: info } }, 'debug getinfo')
  expect(ran.out).toBe(
    [
      'Server Debug Info:',
      '  Uptime:                  1h2m3s',
      '  Registered Agents:       1',
      '  Registration Entries:    2',
      '  Federated Bundles:       3',
      '  SVID Chain:',
      '    [0] SPIFFE ID:  spiffe://example.org/spire/server',
      '        Subject:    O=A',
      '        Expires At: 1970-01-01T00:01:00Z',
      '',
    ].join('\n'),
  )
  const json = await at({ answers: { GetInfo: info } }, 'debug getinfo -output json')
  expect(JSON.parse(json.ran.out)).toMatchObject({ uptime: 3723, svid_chain: [{ subject: 'O=A' }] })
})

const agent = (name: string, expiresAt: number) => ({
  id: { trust_domain: 'example.org', path: `/spire/agent/${name}` },
  x509svid_expires_at: expiresAt,
})
const FAR = 4_102_444_800
const ID = 'SPIFFE ID         : spiffe://example.org/spire/agent'
const old = { ListAgents: { agents: [agent('old', 1), agent('new', FAR)] } }

test('agent purge -dryRun tells what is expired and evicts nothing', async () => {
  const { ran, asked } = await at({ answers: old }, 'agent purge -dryRun')
  expect(ran).toEqual(printed(`Found 1 expired agent\n\n\nAgents that can be purged:\n${ID}/old\n`))
  expect(asked.map(({ method }) => method)).toEqual(['ListAgents'])
  expect(asked[0]?.request.filter.by_can_reattest).toEqual({ value: true })
})

test('agent purge evicts what is expired, and nothing else', async () => {
  const { ran, asked } = await at({ answers: { ...old, DeleteAgent: {} } }, 'agent purge')
  expect(ran).toEqual(printed(`Found 1 expired agent\n\nAgents purged:\n${ID}/old\n`))
  const deleted = asked.filter(({ method }) => method === 'DeleteAgent')
  expect(deleted.map(({ request }) => request.id.path)).toEqual(['/spire/agent/old'])
})

test('agent purge tells of agents that could not be evicted', async () => {
  const script = { answers: old, refusals: { DeleteAgent: { code: 13, details: 'broken' } } }
  expect((await at(script, 'agent purge')).ran.out).toBe(
    `Found 1 expired agent\n\nAgents not purged:\n${ID}/old\nError             : rpc error: code = Internal desc = broken\n`,
  )
  expect(JSON.parse((await at(script, 'agent purge -output json')).ran.out)).toEqual({
    expired_agents: [
      {
        agent_id: 'spiffe://example.org/spire/agent/old',
        deleted: false,
        error: 'rpc error: code = Internal desc = broken',
      },
    ],
  })
})

test('without expired agents there is nothing to purge', async () => {
  const none = { ListAgents: { agents: [agent('new', FAR)] } }
  expect((await at({ answers: none }, 'agent purge')).ran).toEqual(printed('No agents to purge.\n'))
  expect((await at({ answers: none }, 'agent purge -output json')).ran).toEqual(
    printed('{"expired_agents":[]}\n'),
  )
})

test('a bundle that was refreshed is told of', async () => {
  const script = { answers: { RefreshBundle: {} } }
  expect((await at(script, 'federation refresh -id b.org')).ran).toEqual(
    printed('Bundle refreshed\n'),
  )
  expect((await at(script, 'federation refresh -id b.org -output json')).ran).toEqual(
    printed('{"code":0,"message":"OK"}\n'),
  )
})

test('a bundle that could not be fetched fails with the reason', async () => {
  const script = { refusals: { RefreshBundle: { code: 13, details: 'no route' } } }
  expect((await at(script, 'federation refresh -id b.org')).ran).toEqual(
    failed('failed to refresh bundle: rpc error: code = Internal desc = no route'),
  )
})

test.for([
  ['taint', 'Taint', 'Tainted'],
  ['revoke', 'Revoke', 'Revoked'],
] as const)('upstreamauthority %s tells of the authority', async ([verb, name, done]) => {
  const answers = {
    [`${name}X509UpstreamAuthority`]: { upstream_authority_subject_key_id: 'abc' },
  }
  const { ran, asked } = await at({ answers }, `upstreamauthority ${verb} -subjectKeyID abc`)
  expect(ran).toEqual(printed(`${done} X.509 upstream authority:\n  Subject Key ID: abc\n`))
  expect(asked[0]?.request).toEqual({ subject_key_id: 'abc' })
})

test('an authority under an upstream is shown with it, and a missing one is said', async () => {
  const active = { authority_id: 'aa', expires_at: 1, upstream_authority_subject_key_id: 'up' }
  const { ran } = await at(
    { answers: { GetX509AuthorityState: { active } } },
    'localauthority x509 show',
  )
  expect(ran.out).toContain('  Upstream authority Subject Key ID: up\n')
  const empty = await at({ answers: { GetJWTAuthorityState: {} } }, 'localauthority jwt show')
  expect(empty.ran.out).toContain('Active JWT authority:\n  No active JWT authority found\n')
})

test('an answer without the authority that it is about is an error', async () => {
  const { ran } = await at({ answers: { PrepareJWTAuthority: {} } }, 'localauthority jwt prepare')
  expect(ran.code).toBe(1)
  expect(ran.err).toBe(
    'Error: internal error: expected to have prepared JWT authority information\n',
  )
})

test.for([
  ['bundle set -id b.org -format spiffe -path -', 'BatchSetFederatedBundle'],
  ['bundle delete -id b.org', 'BatchDeleteFederatedBundle'],
  ['federation delete -id b.org', 'BatchDeleteFederationRelationship'],
] as const)('%s is no success when the answer says nothing of it', async ([line, method]) => {
  await using server = await openScriptedServer({ answers: { [method]: { results: [] } } })
  const ran = await run(`server ${line} -socketPath ${server.path}`, { input: '{"keys":[]}' })
  expect(ran.code).toBe(1)
  expect(ran.err).toMatch(/: no result\n$/)
})
