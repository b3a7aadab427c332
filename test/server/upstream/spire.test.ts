/** A nested server whose upstream, or whose agent, does not do what it should. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js'
import { afterAll, expect, test } from 'vitest'
import type { X509SVIDResponseInput } from '../../../proto/gen/X509SVIDResponse.ts'
import { workloadApi } from '../../../proto/load.ts'
import { openSpireUpstream } from '../../../server/upstream/spire.ts'
import { type Clock, systemClock } from '../../../spiffe/clock.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { currentCa, identityOf } from '../../fakes/svids.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-upstream-'))
afterAll(() => rmSync(dir, { recursive: true }))

const ca = await currentCa('example.org')
const nested = await identityOf(ca, '/nested')

function open(workloadApiSocket: string, port: number, clock: Clock) {
  const stop = new AbortController()
  const failures: string[] = []
  const upstream = openSpireUpstream(
    { kind: 'spire', host: '127.0.0.1', port, workloadApiSocket, requirePqKem: false },
    {
      ...{ trustDomain: parseTrustDomain('example.org'), clock, signal: stop.signal },
      onFailure: (error) => void failures.push(String(error)),
    },
  )
  return { upstream, stop, failures }
}

type Answer = (stream: ServerWritableStream<unknown, X509SVIDResponseInput>) => void

const refuse: Answer = (stream) =>
  void stream.emit('error', { code: status.INVALID_ARGUMENT, details: 'not today' })
const give: Answer = (stream) =>
  void stream.write({
    svids: [
      {
        ...{ spiffe_id: nested.id, x509_svid_key: Buffer.from(nested.key), hint: '' },
        x509_svid: Buffer.concat(nested.chain),
        bundle: Buffer.from(ca.certificate),
      },
    ],
  })

/** A Workload API that answers each stream with the next of these, and then with the last. */
async function startAgent(name: string, answers: readonly Answer[]) {
  const path = join(dir, name)
  let asked = 0
  const server = new Server()
  const handler = (stream: ServerWritableStream<unknown, X509SVIDResponseInput>) => {
    answers[Math.min(asked++, answers.length - 1)]?.(stream)
  }
  server.addService(workloadApi().service, { FetchX509SVID: handler })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const credentials = ServerCredentials.createInsecure()
  server.bindAsync(`unix:${path}`, credentials, (error) => (error ? reject(error) : resolve()))
  await promise
  return { path, asked: () => asked, [Symbol.dispose]: () => server.forceShutdown() }
}

/** A host that takes connections and never says a word. */
async function startBlackHole() {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    port,
    sockets,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('a server that waits for its identity from an agent that is not there stops when it is told to', async () => {
  const { upstream, stop, failures } = open(join(dir, 'none.sock'), 1, new FakeClock())
  await using _upstream = upstream
  const minting = upstream.mintX509Ca(new Uint8Array(), 60)
  const refused = expect(minting).rejects.toThrow(/gave no X509-SVID/)
  await expect.poll(() => failures).toContainEqual(expect.stringContaining('none.sock'))
  stop.abort()
  await refused
})

test('a call to an upstream that never answers is given up when the server is to stop', async () => {
  using agent = await startAgent('silent.sock', [give])
  using hole = await startBlackHole()
  const { upstream, stop } = open(agent.path, hole.port, systemClock)
  await using _upstream = upstream
  const minting = upstream.mintX509Ca(new Uint8Array(), 60)
  const refused = expect(minting).rejects.toMatchObject({
    message: expect.stringContaining('NewDownstreamX509CA'),
  })
  await expect.poll(() => hole.sockets).toHaveLength(1)
  stop.abort()
  await refused
})

test('an agent that refuses for good is asked again, later and later, until there is no time left', async () => {
  const clock = new FakeClock()
  using agent = await startAgent('refusing.sock', [refuse])
  const { upstream } = open(agent.path, 1, clock)
  await using _upstream = upstream
  const minting = upstream.mintX509Ca(new Uint8Array(), 60)
  const refused = expect(minting).rejects.toThrow(/within 30 s: .*not today/)
  for (const [attempts, pauseMs] of [
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 23_000],
  ] as const) {
    await expect.poll(agent.asked).toBe(attempts)
    await clock.sleepers(2)
    clock.advance(pauseMs)
  }
  await refused
  expect(agent.asked()).toBe(4)
})

test('an agent that has changed its mind is believed without a restart', async () => {
  // Given, then never renewed: another agent took its place, which first knows nothing of us.
  const cut: Answer = (stream) => {
    give(stream)
    stream.end()
  }
  using agent = await startAgent('changing.sock', [cut, refuse, give])
  using hole = await startBlackHole()
  const { upstream, stop, failures } = open(agent.path, hole.port, systemClock)
  const minting = upstream.mintX509Ca(new Uint8Array(), 60).catch(() => undefined)
  await expect.poll(() => failures).toContainEqual(expect.stringContaining('not today'))
  const again = upstream.mintX509Ca(new Uint8Array(), 60).catch(() => undefined)
  await expect.poll(agent.asked).toBe(3)
  stop.abort()
  await Promise.all([minting, again])
  await upstream[Symbol.asyncDispose]()
})
