/** kill -9 at any moment loses no acknowledged write and leaves nothing to clean by hand. */
import { expect, test } from 'vitest'
import { startAgent, startServer } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'

const uid = `unix:uid:${process.getuid?.()}`

test('a server killed in the middle of writes has every entry that it acknowledged, and the same CA', async () => {
  await using server = await startServer('steeple')
  const bundle = (await server.cli('steeple', 'bundle', 'show')).stdout
  for (let round = 0; round < 3; round++) {
    const acknowledged: string[] = []
    let stop = false
    const writer = async (name: number) => {
      for (let n = 0; !stop; n++) {
        const id = `round-${round}-writer-${name}-${n}`
        const { code } = await server.cli(
          'steeple',
          ...['entry', 'create', '-entryID', id, '-parentID', 'spiffe://example.org/parent'],
          ...['-spiffeID', `spiffe://example.org/${id}`, '-selector', uid],
        )
        if (code === 0) acknowledged.push(id)
      }
    }
    const writers = [writer(0), writer(1)]
    await until('some acknowledged writes', async () => acknowledged.length > 4)
    server.process().kill('SIGKILL')
    expect(await server.process().ended).toBe('SIGKILL')
    stop = true
    await Promise.all(writers)
    await server.restart()
    const { stdout } = await server.cli('steeple', 'entry', 'show', '-output', 'json')
    // Cast: protojson of ListEntriesResponse.
    const { entries } = JSON.parse(stdout) as { entries: { id: string }[] }
    const there = new Set(entries.map(({ id }) => id))
    expect(acknowledged.filter((id) => !there.has(id))).toEqual([])
  }
  expect((await server.cli('steeple', 'bundle', 'show')).stdout).toBe(bundle)
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
