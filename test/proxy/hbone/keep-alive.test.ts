import { once } from 'node:events'
import { connect } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { parsePeerPattern } from '../../../proxy/config/peer-pattern.ts'
import { keepAlive, PING_EVERY_MS, PING_TIMEOUT_MS } from '../../../proxy/hbone/keep-alive.ts'
import { openHbonePool } from '../../../proxy/hbone/pool.ts'
import { DEADLINE_STEP_MS, openDeadlines } from '../../../proxy/http/deadlines.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { openTestContext } from '../running-proxy.ts'
import { startFakeHbone } from './fake-hbone.ts'
import { sourceOf, web } from './hbone-client.ts'

function rig() {
  const clock = new FakeClock()
  const stop = new AbortController()
  const deadlines = openDeadlines(clock, stop.signal)
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= DEADLINE_STEP_MS) {
      await clock.sleepers(1)
      clock.advance(DEADLINE_STEP_MS)
    }
    await clock.sleepers(1)
  }
  return { deadlines, pass, [Symbol.dispose]: () => stop.abort() }
}

test('a peer that answers no ping is dropped when its time is over, and not before', async () => {
  using time = rig()
  const silent = createServer((socket) => void socket.on('error', () => {}).resume())
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo // cast: it listens on TCP
  const session = connect(`http://127.0.0.1:${port}`)
  const reasons: string[] = []
  session.on('error', ({ message }) => reasons.push(message))
  await once(session, 'connect')
  keepAlive(session, time.deadlines)
  await time.pass(PING_EVERY_MS + PING_TIMEOUT_MS)
  expect(session.destroyed).toBe(false)
  await time.pass(2 * DEADLINE_STEP_MS)
  expect(session.destroyed).toBe(true)
  await expect.poll(() => reasons).toEqual(['no answer to a ping within 20 s'])
  expect(time.deadlines.size).toBe(0)
  silent.close()
})

test('a connection is kept for five minutes after its last tunnel, while its peer answers', async () => {
  using time = rig()
  await using fake = await startFakeHbone((stream) => void stream.respond({ ':status': 200 }))
  using proxy = openTestContext(sourceOf(web), { deadlines: time.deadlines })
  using pool = openHbonePool(proxy.context)
  const address = { kind: 'tcp', host: '127.0.0.1', port: fake.port } as const
  const authorize = [parsePeerPattern('spiffe://example.org')]
  const open = () =>
    pool.open({ name: 'db', address, authorize }, [
      ':method',
      'CONNECT',
      ':authority',
      '10.1.2.3:80',
    ])
  const passAnswered = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) {
      await time.pass(5_000)
      // A ping of the peer's own comes back after its answer to ours.
      await new Promise((resolve) => fake.sessions[0]?.ping(resolve))
    }
  }
  const stream = await open()
  stream.on('error', () => {})
  await once(stream, 'response')
  await passAnswered(900_000)
  expect(pool.sessions).toBe(1)
  stream.destroy()
  await passAnswered(290_000)
  expect(pool.sessions).toBe(1)
  await time.pass(600_000)
  await expect.poll(() => pool.sessions).toBe(0)
})
