import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bindServer, endServer } from '../../proto/bind-server.ts'

const AT = { shown: '127.0.0.1 port 0', key: 'some.port' }
const host = '127.0.0.1'

test('a port that is left to the system is told, and none for a path', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'bind-'))
  const [tcp, unix] = [createServer(), createServer()]
  try {
    expect(await bindServer(tcp, { host, port: 0 }, AT)).toBeGreaterThan(0)
    expect(await bindServer(unix, { path: join(dir, 'socket') }, AT)).toBe(0)
  } finally {
    await endServer(tcp, () => tcp.closeAllConnections())
    await endServer(unix, () => unix.closeAllConnections())
    rmSync(dir, { recursive: true })
  }
})

test('refuses a port in use by its place, with the key to change', async () => {
  const [first, second] = [createServer(), createServer()]
  const port = await bindServer(first, { host, port: 0 }, AT)
  try {
    await expect(
      bindServer(second, { host, port }, { shown: `${host} port ${port}`, key: 'some.port' }),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        new RegExp(`^cannot listen on ${host} port ${port}: .*; choose another some.port$`),
      ),
    })
  } finally {
    await endServer(first, () => first.closeAllConnections())
  }
})

test('the end cuts off who has said nothing yet, and a second end does nothing', async () => {
  const server = createServer()
  const port = await bindServer(server, { host, port: 0 }, AT)
  const silent = connect(port, host)
  await Promise.all([once(silent, 'connect'), once(server, 'connection')])
  const cut = once(silent, 'close')
  await endServer(server, () => server.closeAllConnections())
  await cut
  await endServer(server, () => {
    throw new Error('it has ended already')
  })
  expect(server.listening).toBe(false)
})
