import { once } from 'node:events'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { openConnections } from '../../proto/open-connections.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'

/** A caller is an object of its own for each connection. */
const callerOf = (pid: number): UnixCaller => ({
  ...{ kind: 'unix', pid, uid: pid, gid: pid },
  isAlive: () => true,
})

function open() {
  const told: unknown[] = []
  const connections = openConnections((error) => told.push(error))
  return {
    ...{ told, connections },
    admit(pid: number) {
      const [caller, socket] = [callerOf(pid), new Socket()]
      return { caller, socket, isAdmitted: connections.admit(caller, socket) }
    },
  }
}

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, 'close')
  socket.destroy()
  await closed
}

test('a connection is known by a key that nobody can guess, until it closes', async () => {
  const { connections, admit } = open()
  const [one, other] = [admit(1), admit(1)]
  const key = one.socket.remoteAddress ?? ''
  expect(key).toMatch(/^unix:[0-9a-f-]{36}$/)
  expect(other.socket.remoteAddress).not.toBe(key)
  expect(connections.callerOf(key)).toBe(one.caller)
  await close(one.socket)
  expect(connections.callerOf(key)).toBeUndefined()
  await close(other.socket)
})

test('one too many is destroyed and told once, until its process has no connection any more', async () => {
  const { told, admit } = open()
  const fill = () => Array.from({ length: 1_024 }, () => admit(7).socket)
  let sockets = fill()
  for (let more = 0; more < 3; more += 1) {
    const { isAdmitted, socket } = admit(7)
    expect([isAdmitted, socket.destroyed, socket.remoteAddress]).toEqual([false, true, undefined])
  }
  expect(admit(8).isAdmitted).toBe(true)
  expect(told).toMatchObject([{ code: 'RATE_LIMITED' }])
  await Promise.all(sockets.map(close))
  sockets = fill()
  admit(7)
  expect(told).toHaveLength(2)
  await Promise.all(sockets.map(close))
})

test('a connection can be cut by its caller, and all of them at once', () => {
  const { connections, admit } = open()
  const [one, other, third] = [admit(1), admit(1), admit(2)]
  connections.cut(one.caller)
  expect([one, other, third].map(({ socket }) => socket.destroyed)).toEqual([true, false, false])
  connections.cutAll()
  expect([other, third].map(({ socket }) => socket.destroyed)).toEqual([true, true])
})
