import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { Permit } from '../../../policy/verdict.ts'
import { type RelayEnd, relay } from '../../../proxy/forward/relay.ts'
import { everything } from '../running-proxy.ts'

/** A test may vouch for itself. */
const permit = {} as Permit

/** Two connections with a relay between their near ends. */
async function startRelay() {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pair = async (): Promise<readonly [Socket, Socket]> => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const far = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true })
    far.on('error', () => {})
    const [near] = await once(server, 'connection')
    near.on('error', () => {})
    return [near, far]
  }
  const [client, farClient] = await pair()
  const [upstream, farUpstream] = await pair()
  return {
    ...{ client, upstream, farClient, farUpstream },
    start: () => {
      const { promise, resolve } = Promise.withResolvers<RelayEnd>()
      relay(permit, client, upstream, resolve)
      return promise
    },
    [Symbol.dispose]() {
      server.close()
      for (const socket of [client, upstream, farClient, farUpstream]) socket.destroy()
    },
  }
}

test('each way ends by itself, and the relay when both have', async () => {
  using ends = await startRelay()
  const ended = ends.start()
  ends.farClient.end('question')
  expect(await everything(ends.farUpstream)).toBe('question')
  ends.farUpstream.end('answer')
  expect(await everything(ends.farClient)).toBe('answer')
  expect(await ended).toEqual({ kind: 'finished' })
})

test.each(['client', 'upstream'] as const)(
  'the %s that is lost takes the other along',
  async (by) => {
    using ends = await startRelay()
    const ended = ends.start()
    const [lost, other] =
      by === 'client' ? [ends.farClient, ends.farUpstream] : [ends.farUpstream, ends.farClient]
    lost.write('beginning')
    await once(other, 'data')
    lost.resetAndDestroy()
    expect(await ended).toMatchObject({ kind: 'cut', by })
  },
)

test('an end that was lost before the relay began ends it at once', async () => {
  using ends = await startRelay()
  ends.client.destroy()
  await once(ends.client, 'close')
  expect(await ends.start()).toMatchObject({ kind: 'cut', by: 'client' })
  expect(ends.upstream.destroyed).toBe(true)
})

test('bytes that came before the relay began are carried too', async () => {
  using ends = await startRelay()
  ends.farClient.write('early')
  await once(ends.client, 'readable')
  void ends.start()
  const [chunk] = await once(ends.farUpstream, 'data')
  expect(chunk.toString()).toBe('early')
})
