/** When a tunnel that came to nothing is asked for once more. */
import { once } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startListeners } from '../pair.ts'
import { everything } from '../running-proxy.ts'
import { startFakeHbone } from './fake-hbone.ts'
import { sourceOf, web } from './hbone-client.ts'

const stack: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

/** @param answer told which it is, the first being 1 */
async function startPair(answer: (stream: ServerHttp2Stream, asked: number) => void) {
  let asked = 0
  const fake = await startFakeHbone((stream) => {
    asked += 1
    answer(stream, asked)
  })
  stack.push(fake)
  const client = await startListeners(
    sourceOf(web),
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "10.1.2.3:8080"
      transport = "hbone"  hbone_address = "127.0.0.1:${fake.port}"
      authorize = ["spiffe://example.org"]
    }`,
  )
  stack.push(client)
  const socket = connect(client.port('db'), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { fake, client, asked: () => asked, heard: everything(socket) }
}

function take(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 })
  stream.end('taken')
}

test('a tunnel that the other end has not begun with is asked for once more', async () => {
  const { heard } = await startPair((stream, asked) => {
    if (asked === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else take(stream)
  })
  expect(await heard).toBe('taken')
})

test('so is one whose connection is lost before an answer', async () => {
  const { heard, asked } = await startPair((stream, count) => {
    if (count === 1) stream.session?.destroy()
    else take(stream)
  })
  expect(await heard).toBe('taken')
  expect(asked()).toBe(2)
})

test('a connection that is lost again is given up, and the log says so', async () => {
  const { client, heard, asked } = await startPair((stream) => void stream.session?.destroy())
  expect(await heard).toBe('')
  expect(asked()).toBe(2)
  const reason = 'the proxy of 10.1.2.3:8080 lost the connection unanswered'
  expect(client.access[0]).toMatchObject({ reason })
})

test('a tunnel that was answered and lost its connection after that is not asked for again', async () => {
  const { heard, asked } = await startPair((stream) => {
    stream.respond({ ':status': 200 })
    stream.write('begun', () => stream.session?.destroy())
  })
  expect(await heard).toBe('')
  expect(asked()).toBe(1)
})

test('a tunnel under way when its peer is not believed any more goes by a new connection', async () => {
  const { client, fake, heard, asked } = await startPair((stream, count) => {
    if (count > 1) take(stream)
  })
  await expect.poll(asked).toBe(1)
  // For a moment nobody is; by the time of the next connection the peer is believed again.
  const { connections, clock } = client.context
  connections.rejudgePeers(new Map(), clock.now())
  expect(await heard).toBe('taken')
  expect(fake.sessions).toHaveLength(2)
})
