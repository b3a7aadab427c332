/**
 * More workloads than the agent keeps SVIDs for: each is served its own identity and no other, again and again, one
 * after another and all at once. A stream that is open keeps what it was given.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { run, start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import { type Cell, endpointOf, fail, openAgent, openServer, register } from './cell.ts'

const CACHE_SIZE = 4
const WORKLOADS = 10

export async function tell(cell: Cell): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'workloads-'))
  try {
    await serveMoreThanFit(cell, dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function serveMoreThanFit(cell: Cell, dir: string): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server, {
    settings: `x509_svid_cache_max_size = ${CACHE_SIZE}`,
    // SPIRE hashes a program at each call unless told not to.
    workloadAttestor: 'discover_workload_path = true  workload_size_limit = -1',
  })
  const workloads = Array.from({ length: WORKLOADS }, (_, at) => ({
    id: `spiffe://example.org/workload/${at}`,
    program: join(dir, `workload-${at}`),
  }))
  for (const { id, program } of workloads) {
    copyFileSync(peer('go-client'), program)
    await register(server, agent.id, id, '-selector', `unix:path:${program}`)
  }
  const env = endpointOf(agent)
  const fetchBy = async (program: string): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await run(program, ['fetch', 'a'], { env })
    if (code !== 0) throw new Error(stderr)
    // Cast: the line that go-client prints.
    const { svids } = JSON.parse(stdout) as { svids: { id: string; verified: string }[] }
    expect(svids.map(({ verified }) => verified)).toEqual(svids.map(() => 'ok'))
    return svids.map(({ id }) => id)
  }
  const [first] = workloads
  if (first === undefined) return expect.unreachable()
  await until('the first workload to be served', () => fetchBy(first.program))
  await using watcher = start(first.program, ['watch'], { env })
  await watcher.line(/"id":"spiffe:\/\/example.org\/workload\/0"/)

  for (const { id, program } of workloads) {
    await until(`${id} to be served`, async () => (await fetchBy(program)).join() === id)
  }
  for (const { id, program } of workloads.toReversed()) {
    expect(await fetchBy(program)).toEqual([id])
  }
  const together = await Promise.all(workloads.map(({ program }) => fetchBy(program)))
  expect(together).toEqual(workloads.map(({ id }) => [id]))

  // One workload with all of them: more than fit, and none is missing.
  const watched = peer('go-client')
  expect((await run(watched, ['fetch', 'a'], { env })).stderr).toContain('no identity issued')
  await fail(agent, 'no identity issued', 'api', 'fetch', 'x509')
  const many = Array.from({ length: WORKLOADS }, (_, at) => `spiffe://example.org/many/${at}`)
  for (const id of many) await register(server, agent.id, id)
  const hasAll = async () => (await fetchBy(watched)).toSorted().join() === many.join()
  await until('all of them to be served to one workload', hasAll)

  const ids = new Set(watcher.output().match(/"id":"[^"]*"/g))
  expect(ids.has('"id":"spiffe://example.org/workload/0"')).toBe(true)
  expect(watcher.output()).not.toContain('"error"')
}
