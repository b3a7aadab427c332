/** kill -9 at any moment loses no acknowledged write and leaves nothing to clean by hand. */
import { expect, test } from 'vitest'
import { ANY_CONTENT, createRecord } from '../kill/record.ts'
import { runKills } from '../kill/run-kills.ts'
import { startAgent, startServer } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'

const uid = `unix:uid:${process.getuid?.()}`
const LONG_MS = 600_000

test(
  'server and agent, killed at random moments of a stream of writes, lose none and serve nothing that was deleted',
  async () => {
    const report = await runKills({ moments: 10, lanes: 2, seed: 11 })
    expect(report.faults).toEqual([])
    expect(report.kills.server + report.kills.agent + report.kills.both).toBe(10)
    expect(report.acknowledged).toBeGreaterThan(10)
  },
  LONG_MS,
)

test('the record of writes tells a lost write, half of one, one that came back and one that nobody wrote', () => {
  const record = createRecord('entry')
  record.attempt('lost', 'one').acknowledge()
  record.attempt('mixed', 'a1 b1').acknowledge()
  record.attempt('mixed', 'a2 b2')
  record.attempt('deleted', 'one').acknowledge()
  record.attempt('deleted', undefined).acknowledge()
  record.attempt('refused', 'one').acknowledge()
  record.attempt('refused', 'two').refuse()
  const found = { mixed: 'a1 b2', deleted: 'one', refused: 'two', stranger: 'one' }
  expect(record.judge(new Map(Object.entries(found)))).toEqual([
    'entry stranger is there, and was never written',
    'entry lost is absent, expected one',
    'entry mixed is a1 b2, expected a1 b1 or a2 b2',
    'entry deleted is one, expected absent',
    'entry refused is two, expected one',
  ])
})

test('a write that was never answered may be there or not, and is certain once it was looked at', () => {
  const record = createRecord('entry')
  record.attempt('key', 'one').acknowledge()
  record.attempt('key', 'two')
  record.attempt('node', ANY_CONTENT)
  expect(record.judge(new Map(Object.entries({ key: 'two', node: '17' })))).toEqual([])
  expect(record.judge(new Map(Object.entries({ key: 'one', node: '17' })))).toEqual([
    'entry key is one, expected two',
  ])
})

test('an agent killed and started again serves at once, also while the server is away', async () => {
  await using server = await startServer('steeple')
  await using agent = await startAgent('steeple', server)
  await server.cli(
    'steeple',
    ...[
      'entry',
      'create',
      '-parentID',
      agent.id,
      '-spiffeID',
      'spiffe://example.org/kept',
      '-selector',
      uid,
    ],
  )
  const fetch = () => agent.cli('steeple', 'api', 'fetch', 'x509')
  await until('the SVID', async () => (await fetch()).code === 0)

  server.process().kill('SIGKILL')
  await server.process().ended
  expect((await fetch()).stdout).toContain('spiffe://example.org/kept')

  agent.process().kill('SIGKILL')
  await agent.process().ended
  await agent.restart()
  await until('the SVID from the cache', async () => (await fetch()).code === 0)
  expect((await fetch()).stdout).toContain('spiffe://example.org/kept')

  await server.restart()
  await server.cli(
    'steeple',
    ...[
      'entry',
      'create',
      '-parentID',
      agent.id,
      '-spiffeID',
      'spiffe://example.org/later',
      '-selector',
      uid,
    ],
  )
  await until('the agent to follow again', async () =>
    (await fetch()).stdout.includes('spiffe://example.org/later'),
  )
})
