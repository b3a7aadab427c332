import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http2'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cutFloods } from '../../../server/listen/cut-floods.ts'
import {
  callFields,
  closed,
  FLAG,
  FRAME,
  frame,
  number32,
  openRaw,
} from '../../hostile/raw-http2.ts'

const resets = (count: number): Buffer => {
  const one = (stream: number) => [
    frame(FRAME.headers, FLAG.endHeaders, stream, callFields('/a')),
    frame(FRAME.reset, 0, stream, number32(8)),
  ]
  return Buffer.concat(Array.from({ length: count }, (_, at) => one(1 + 2 * at)).flat())
}

test('a connection that opens more than 128 streams at once is cut and told of once, and others stay', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-floods-'))
  const path = join(dir, 'socket')
  const told: string[] = []
  using floods = cutFloods()
  let connections = 0
  const server = createServer()
  let streams = 0
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    streams += 1
  })
  server.on('sessionError', () => {})
  server.on('connection', (socket: Socket) => {
    connections += 1
    const key = `key ${connections}`
    Object.defineProperty(socket, 'remoteAddress', { value: key })
    floods.follow(socket, key, () => told.push(key))
  })
  server.listen(path)
  await once(server, 'listening')
  try {
    const modest = await openRaw({ kind: 'unix', path })
    modest.resume().write(resets(128))
    await expect.poll(() => streams).toBe(128)
    const flood = await openRaw({ kind: 'unix', path })
    flood.resume().write(resets(400))
    await closed(flood)
    expect(told).toEqual(['key 2'])
    expect(modest.destroyed).toBe(false)
    modest.destroy()
  } finally {
    server.close()
    rmSync(dir, { recursive: true })
  }
})
