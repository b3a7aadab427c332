import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Server } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listenUnix } from '../../proto/unix-listener.ts'
import { ROOMY } from '../fakes/roomy-bounds.ts'

let dir: string
let path: string
let refused: unknown[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-unix-'))
  path = join(dir, 'api.sock')
  refused = []
})
afterEach(() => rmSync(dir, { recursive: true }))

const listen = () =>
  listenUnix({
    path,
    mode: 0o777,
    server: new Server(),
    bounds: ROOMY,
    onRefused: (error) => refused.push(error),
  })

async function dial(): Promise<Socket> {
  const socket = connect(path)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Whether the server sends its HTTP/2 settings over a new connection. */
async function isServed(): Promise<boolean> {
  const socket = await dial()
  const served = await new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true))
    socket.once('close', () => resolve(false))
  })
  socket.destroy()
  return served
}

test('a process with too many connections gets no more until it closes one', async () => {
  await using _listener = await listen()
  const sockets = await Promise.all(Array.from({ length: 1_024 }, dial))
  try {
    await once((await dial()).resume(), 'close')
    expect(refused).toMatchObject([{ code: 'RATE_LIMITED' }])

    sockets.pop()?.destroy()
    await expect.poll(isServed).toBe(true)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

/** Listens, and accepts nothing: what a process does that is stopped or overloaded. */
const BUSY = `
  const { workerData, parentPort } = require('node:worker_threads')
  require('node:net').createServer().listen({ path: workerData, backlog: 1 }, () => {
    parentPort.postMessage('listening')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
`

test('a socket whose owner is too busy to answer is not taken over', async () => {
  const owner = new Worker(BUSY, { eval: true, workerData: path })
  await once(owner, 'message')
  const waiting: Socket[] = []
  try {
    // Until the kernel's queue of the socket is full.
    for (let isFull = false; !isFull; ) {
      const socket = connect(path)
      waiting.push(socket)
      isFull = await once(socket, 'connect').then(
        () => false,
        () => true,
      )
    }
    const { ino } = statSync(path)
    await expect(listen()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(statSync(path).ino).toBe(ino)
  } finally {
    for (const socket of waiting) socket.destroy()
    await owner.terminate()
  }
})
