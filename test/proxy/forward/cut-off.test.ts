import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type ListenOptions, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cutOff } from '../../../proxy/forward/cut-off.ts'

/** Both ends of a connection. */
async function pair(where: ListenOptions) {
  const server = createServer()
  server.listen(where)
  await once(server, 'listening')
  const address = server.address()
  const client = connect(
    typeof address === 'string' ? { path: address } : { port: address?.port ?? 0 },
  )
  client.on('error', () => {})
  const [accepted]: Socket[] = await once(server, 'connection')
  server.close()
  if (accepted === undefined) throw new Error('no connection')
  accepted.on('error', () => {})
  return { client, accepted }
}

const outcome = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once('end', () => resolve('ended'))
    socket.once('error', () => resolve('reset'))
    socket.resume()
  })

test('a TCP connection is reset, and its other end hears no ordinary end', async () => {
  const { client, accepted } = await pair({ port: 0, host: '127.0.0.1' })
  const heard = outcome(client)
  cutOff(accepted)
  expect(await heard).toBe('reset')
  await expect.poll(() => accepted.destroyed).toBe(true)
})

test('one whose way was ended already is closed all the same', async () => {
  const { client, accepted } = await pair({ port: 0, host: '127.0.0.1' })
  client.resume()
  accepted.end('everything')
  await once(accepted, 'finish')
  cutOff(accepted)
  cutOff(accepted)
  await expect.poll(() => [accepted.destroyed, client.destroyed]).toEqual([true, true])
})

test('a Unix socket, which knows no reset, is closed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-cut-'))
  const { client, accepted } = await pair({ path: join(dir, 'socket') })
  const heard = outcome(client)
  cutOff(accepted)
  expect(await heard).toBe('ended')
  rmSync(dir, { recursive: true })
})
