/**
 * With lives of seconds, CA, agent and workload are renewed again and again, and at no time is a workload without an
 * SVID that is valid and verifies: the stream that is open all the while never fails.
 */
import { expect } from 'vitest'
import { start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import { authorityIn } from './authorities.ts'
import {
  type Cell,
  endpointOf,
  goFetch,
  goFetches,
  listed,
  openAgent,
  openServer,
  register,
  served,
} from './cell.ts'

const LIVES =
  'ca_ttl = "60s" agent_ttl = "20s" default_x509_svid_ttl = "10s" default_jwt_svid_ttl = "10s"'
/** Two lives of a CA. */
const ROTATION_MS = 120_000
const RENEWALS = 4

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell, { settings: LIVES })
  await using agent = await openAgent(cell, server)
  const started = await listed(server, agent.id)
  await register(server, agent.id, 'spiffe://example.org/workload')
  await until('go-spiffe to be served', () => goFetches(agent))
  await using watcher = start(peer('go-client'), ['watch'], { env: endpointOf(agent) })
  const first = await authorityIn(server, 'x509', 'active')
  const firstKey = await authorityIn(server, 'jwt', 'active')

  const failures: string[] = []
  const isReplaced = async () => {
    const [svid] = await served(agent)
    const { code, stdout, stderr } = await goFetch(agent)
    if (code !== 0) failures.push(stdout + stderr)
    const signer = svid?.chain[0]?.authorityKeyId
    return signer !== undefined && signer !== first
  }
  await until('the workload to be served by the next CA', isReplaced, ROTATION_MS)
  const isKeyReplaced = async () => (await authorityIn(server, 'jwt', 'active')) !== firstKey
  await until('the next JWT key to sign', isKeyReplaced, ROTATION_MS)
  await until('go-spiffe to verify with it', () => goFetches(agent))
  expect(failures, 'whatever is served at any moment is taken').toEqual([])

  expect((await listed(server, agent.id))?.x509svid_serial_number).not.toBe(
    started?.x509svid_serial_number,
  )
  const lines = watcher.output().split('\n')
  const serials = new Set(lines.map((line) => /"serial":"(\d+)"/.exec(line)?.[1]))
  expect(serials.size).toBeGreaterThan(RENEWALS)
  expect(lines.filter((line) => !line.includes('"verified":"ok"'))).toEqual([])
}
