/**
 * Guided rotation with real processes of ours: left to itself it waits until every SVID has been renewed in its own time,
 * and a server that is killed in between loses neither the step nor the caution.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Agent, type Server, startAgent, startServer, steeple } from '../processes/cluster.ts'
import { run, until } from '../processes/process.ts'

const rotate = (server: Server, ...words: readonly string[]) =>
  run(steeple, ['authority', 'rotate', ...words, '-socketPath', server.socket], {
    timeoutMs: 120_000,
  })

async function startWorkload(server: Server, agent: Agent): Promise<void> {
  await server.cli(
    ...(['steeple', 'entry', 'create', '-parentID', agent.id] as const),
    ...['-spiffeID', 'spiffe://example.org/w', '-selector', `unix:uid:${process.getuid?.()}`],
  )
  await until('an SVID', () => hasSvid(agent))
}

const hasSvid = async (agent: Agent) =>
  (await agent.cli('steeple', 'api', 'fetch', 'x509')).code === 0

test('a rotation that is not forced ends when everything has been renewed in its own time', async () => {
  await using server = await startServer('steeple', {
    settings: 'agent_ttl = "24s"\ndefault_x509_svid_ttl = "24s"',
  })
  await using agent = await startAgent('steeple', server)
  await startWorkload(server, agent)
  const { code, stdout, stderr } = await rotate(server, 'x509', '-yes')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const steps = stdout.match(/^(Prepared|Activated|Waiting until|Tainted|Revoked|Done)/gm)
  expect([...new Set(steps)]).toEqual([
    ...['Prepared', 'Activated', 'Waiting until', 'Tainted', 'Revoked', 'Done'],
  ])
  expect(stdout).toContain(`${agent.id}: 1 X.509-SVIDs of workloads, until `)
  expect(await hasSvid(agent)).toBe(true)
})

test('a server that is killed in the middle goes on at the same step, and knows what it has signed before', async () => {
  await using server = await startServer('steeple')
  await using agent = await startAgent('steeple', server)
  await startWorkload(server, agent)
  const kill = async () => {
    server.process().kill('SIGKILL')
    await server.process().ended
  }
  expect((await rotate(server, 'x509', '-yes', '-until', 'activate')).code).toBe(0)
  await kill()
  await server.restart()
  const { stdout: known } = await rotate(server, 'x509', '-status')
  expect(known).toContain(`${agent.id}: 1 SVID of the agent itself`)
  expect(known).toContain(`${agent.id}: 1 X.509-SVIDs of workloads`)
  expect(known).not.toContain('perhaps more')

  await kill()
  rmSync(join(server.dir, 'signing-ledger.jsonl'))
  await server.restart()
  const { stdout: forgotten } = await rotate(server, 'x509', '-status')
  expect(forgotten).toContain('perhaps more, signed before what this server remembers')
  // It does not know by whom it was activated either, so it is told which one is to go.
  const shown = await server.cli('steeple', 'localauthority', 'x509', 'show', '-output', 'json')
  const target = String(JSON.parse(shown.stdout).old.authority_id)
  const named = ['-yes', '-authorityID', target, '-force']
  expect((await rotate(server, 'x509', ...named)).stdout).toContain('Revoked')
  await until('an SVID after all', () => hasSvid(agent))
})
