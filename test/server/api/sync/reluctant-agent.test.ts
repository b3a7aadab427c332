/** An agent that opens its stream and does not read: the server keeps it one message and the newest state, and tells the others meanwhile. */
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import type { BatchCreateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import { syncApi } from '../../../../proto/load.ts'
import { pathOf } from '../../../../spiffe/id.ts'
import { type Method, openReaders } from '../../../hostile/reluctant-reader.ts'
import { type AttestedAgent, call, startTestServer } from '../../running-server.ts'

const CHANGES = 1_000

test('an agent that does not read is kept the newest state only, through a thousand changes', async () => {
  await using server = await startTestServer()
  const create = async (agent: AttestedAgent, ids: readonly string[]) => {
    const entries = ids.map((id) => ({
      id,
      spiffe_id: { trust_domain: 'example.org', path: `/${id}` },
      parent_id: { trust_domain: 'example.org', path: pathOf(agent.id) },
      selectors: [{ type: 'unix', value: 'uid:1' }],
    }))
    const { results } = await call<BatchCreateEntryResponse>((done) =>
      server.admin.entry.BatchCreateEntry({ entries }, done),
    )
    expect(results.every((result) => result.status?.code === 0)).toBe(true)
  }
  const open = async (isReading: boolean) => {
    const agent = await server.attest()
    const { chain: cert, key } = agent.certificate
    // Which server it is does not matter here.
    const trust = { rejectUnauthorized: false, ALPNProtocols: ['h2'] }
    const readers = await openReaders(isReading, () =>
      connect({ host: '127.0.0.1', port: server.port, cert, key, ...trust }),
    )
    // Cast: the generated services leave open what a method takes and gives.
    const stream = readers.open(syncApi().service.Watch as unknown as Method, {})
    return { agent, readers, stream }
  }
  const [slow, brisk] = [await open(false), await open(true)]
  await using _slow = slow.readers
  await using _brisk = brisk.readers
  await expect.poll(() => brisk.stream.messages.length, PATIENT).toBeGreaterThan(0)
  for (let at = 0; at < CHANGES; at += 10) {
    const ids = Array.from({ length: 10 }, (_, lane) => `entry-${at + lane}`)
    await create(slow.agent, ids)
  }
  await create(brisk.agent, ['of-the-other'])
  await expect
    .poll(() => brisk.stream.messages.at(-1)?.includes('of-the-other'), PATIENT)
    .toBe(true)
  expect(slow.stream.messages).toEqual([])
  slow.readers.startReading()
  const last = `entry-${CHANGES - 1}`
  const hasLast = () => slow.stream.messages.some((message) => message.includes(last))
  await expect.poll(hasLast, PATIENT).toBe(true)
  // The state that it came for, and what has changed since in two pages of five hundred entries, and a heartbeat.
  expect(slow.stream.messages.length).toBeLessThanOrEqual(4)
})

const PATIENT = { timeout: 30_000 }
