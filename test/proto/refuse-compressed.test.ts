import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { createServer, connect as dial, type ListenOptions } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { Server, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { HealthHandlers } from '../../proto/gen/grpc/health/v1/Health.ts'
import { healthApi } from '../../proto/load.ts'
import { uncompressedOnly } from '../../proto/refuse-compressed.ts'
import { addService } from '../../proto/serve.ts'
import { listenUnix } from '../../proto/unix-listener.ts'
import { ROOMY } from '../fakes/roomy-bounds.ts'

/** Of a health check whose service has a long name. */
const REQUEST = Buffer.concat([Buffer.of(0x0a, 0xac, 0x02), Buffer.alloc(300, 'x')])

let dir: string
let server: Server
let asked: string[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-compressed-'))
  server = new Server()
  asked = []
  addService<string, HealthHandlers>(
    { server, callerOf: (peer) => peer, async authorize() {}, onFailure() {} },
    healthApi().service,
    {
      async Check(request) {
        asked.push(request.service)
        return { status: 'SERVING' }
      },
    },
  )
})
afterEach(() => {
  vi.restoreAllMocks()
  server.forceShutdown()
  rmSync(dir, { recursive: true })
})

async function overUnix(): Promise<Place> {
  const path = join(dir, 'api.sock')
  const options = { path, mode: 0o777, server, bounds: ROOMY, onRefused() {} }
  const listener = await listenUnix(options)
  return { where: { path }, end: () => listener[Symbol.asyncDispose]() }
}

async function overTcp(): Promise<Place> {
  const injector = server.createConnectionInjector(uncompressedOnly())
  const listener = createServer((socket) => injector.injectConnection(socket))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const bound = listener.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return { where: { host: '127.0.0.1', port }, end: async () => void listener.close() }
}

interface Place {
  readonly where: ListenOptions
  end(): PromiseLike<void>
}

interface Answer {
  readonly code: number
  readonly details: string
  readonly accepted: string | undefined
}

const framed = (message: Uint8Array, flag: number): Buffer => {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt8(flag)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** Asks once, over a connection of its own; its stream is left open for more. */
async function ask(
  { where }: Place,
  headers: OutgoingHttpHeaders,
  ...pieces: readonly Uint8Array[]
): Promise<Answer> {
  // Cast: one of the two that listening takes is also what dialling takes.
  const createConnection = () => dial(where as { readonly path: string })
  const session = connect('http://localhost', { createConnection })
  session.on('error', () => {})
  try {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check' },
      ...{ 'content-type': 'application/grpc', te: 'trailers', ...headers },
    })
    stream.on('error', () => {})
    for (const piece of pieces) stream.write(piece)
    if (pieces.length > 0) stream.end()
    stream.resume()
    const heads: OutgoingHttpHeaders = {}
    stream.on('response', (head) => Object.assign(heads, head))
    stream.on('trailers', (head) => Object.assign(heads, head))
    await once(stream, 'close')
    return {
      code: Number(heads['grpc-status']),
      details: decodeURI(String(heads['grpc-message'])),
      accepted: heads['grpc-accept-encoding']?.toString(),
    }
  } finally {
    session.destroy()
  }
}

describe.for([
  ['a Unix socket', overUnix],
  ['TCP', overTcp],
] as const)('over %s', ([, open]) => {
  const refused = (encoding: string): Answer => ({
    code: status.UNIMPLEMENTED,
    details: `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`,
    accepted: 'identity',
  })
  const inflating = () =>
    (['createGunzip', 'createInflate'] as const).map((name) => vi.spyOn(zlib, name))

  test.for([
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['snappy', 'snappy'],
    ['GZIP', 'GZIP'],
    ['identity, gzip', 'identity, gzip'],
    ['', ''],
    ['x'.repeat(1_000), 'x'.repeat(32)],
  ] as const)(
    'a stream of encoding %j is refused, and nothing is inflated',
    async ([encoding, shown]) => {
      const place = await open()
      const inflated = inflating()
      const bomb = framed(zlib.gzipSync(Buffer.concat([REQUEST, Buffer.alloc(100_000)])), 1)
      const headers = { 'grpc-encoding': encoding }
      expect(await ask(place, headers, ...Array(54).fill(bomb))).toEqual(refused(shown))
      for (const spy of inflated) expect(spy).not.toHaveBeenCalled()
      expect(asked).toEqual([])
      await place.end()
    },
  )

  test('it is refused at its head, before any message has come', async () => {
    const place = await open()
    expect(await ask(place, { 'grpc-encoding': 'gzip' })).toEqual(refused('gzip'))
    await place.end()
  })

  test.for([['identity'], [undefined]] as const)(
    'a message that is said to be compressed on a stream of encoding %j is refused',
    async ([encoding]) => {
      const place = await open()
      const inflated = inflating()
      const headers = encoding === undefined ? {} : { 'grpc-encoding': encoding }
      for (const message of [REQUEST, zlib.gzipSync(REQUEST)]) {
        expect(await ask(place, headers, framed(message, 1))).toMatchObject({
          code: status.UNIMPLEMENTED,
          details: expect.stringContaining('with the compressed flag set'),
        })
      }
      for (const spy of inflated) expect(spy).not.toHaveBeenCalled()
      expect(asked).toEqual([])
      await place.end()
    },
  )

  test.for([
    [{}],
    [{ 'grpc-encoding': 'identity' }],
    [{ 'grpc-accept-encoding': 'gzip, deflate, identity', 'accept-encoding': 'gzip' }],
  ] as const)('a caller that only takes compressed answers is served: %j', async ([headers]) => {
    const place = await open()
    expect(await ask(place, headers, framed(REQUEST, 0))).toMatchObject({ code: status.OK })
    expect(asked).toEqual(['x'.repeat(300)])
    await place.end()
  })
})
