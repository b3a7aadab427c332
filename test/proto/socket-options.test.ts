import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { createMarkedSocket, originalDestinationOf } from '../../proto/socket-options.ts'

const isRoot = process.getuid?.() === 0

test('a connection that nothing has redirected was going nowhere else', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  const client = connect(port, '127.0.0.1')
  const [accepted] = await once(server, 'connection')
  const found = originalDestinationOf(accepted)
  // Where connections are tracked, the kernel tells the very address that it came to.
  expect([undefined, { ip: '127.0.0.1', port }]).toContainEqual(found)
  accepted.destroy()
  expect(originalDestinationOf(accepted)).toBeUndefined()
  client.destroy()
  server.close()
})

test.runIf(isRoot).each([
  [4, '127.0.0.1'],
  [6, '::1'],
] as const)('a marked socket of IPv%i is connected like any other', async (family, host) => {
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket))
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  const socket = createMarkedSocket(family, 0x539).connect({ host, port })
  await once(socket, 'connect')
  socket.end('hello')
  expect((await socket.toArray()).join('')).toBe('hello')
  server.close()
})

test.runIf(isRoot)('a marked socket that cannot connect says so like any other', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  await new Promise((resolve) => server.close(resolve))
  const socket = createMarkedSocket(4, 0x539).connect({ host: '127.0.0.1', port })
  await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED')
})

test.runIf(isRoot)('a process that may not mark sockets is told what it needs', () => {
  const module = new URL('../../proto/socket-options.ts', import.meta.url).pathname
  const code = `import(${JSON.stringify(module)}).then(({ createMarkedSocket }) => createMarkedSocket(4, 1)).catch((error) => console.log(error.message))`
  const { stdout, status } = spawnSync(
    'setpriv',
    [
      ...[
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        '--inh-caps=-all',
        '--bounding-set=-all',
      ],
      ...[process.execPath, '-e', code],
    ],
    { encoding: 'utf8' },
  )
  expect(status).toBe(0)
  expect(stdout).toBe('sockets cannot be marked; the process needs CAP_NET_ADMIN or CAP_NET_RAW\n')
})
