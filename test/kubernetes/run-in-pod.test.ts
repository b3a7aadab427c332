/** Running a program in a container, against a small server that speaks the WebSocket protocol of `kubectl exec`. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openRunInPod } from '../../kubernetes/run-in-pod.ts'
import { FakeClock } from '../fakes/clock.ts'

const WHERE = { namespace: 'shop', pod: 'cart', container: 'app' }
const [STDOUT, STDERR, STATUS] = [1, 2, 3]

interface ExecServer extends AsyncDisposable {
  readonly kubeconfig: string
  readonly asked: string[]
}

/** @param talk what to do with an accepted connection; undefined: it is refused with 403 */
async function execServer(talk: ((socket: Socket) => void) | undefined): Promise<ExecServer> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    asked.push(request.url ?? '')
    if (talk === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: v5.channel.k8s.io\r\n\r\n`,
    )
    talk(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const dir = mkdtempSync(join(tmpdir(), 'exec-'))
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(`http://127.0.0.1:${port}`))
  return {
    ...{ kubeconfig, asked },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      rmSync(dir, { recursive: true })
    },
  }
}

const kubeconfigFor = (server: string) =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })

/** One binary frame: the number of the stream, then what was printed. */
function send(socket: Socket, stream: number, text: string): void {
  const payload = Buffer.concat([Buffer.from([stream]), Buffer.from(text)])
  const long = payload.length > 125
  const head = long
    ? Buffer.from([0x82, 126, payload.length >> 8, payload.length & 0xff])
    : Buffer.from([0x82, payload.length])
  socket.write(Buffer.concat([head, payload]))
}

const status = (socket: Socket, value: object) => send(socket, STATUS, JSON.stringify(value))

async function ran(talk: ((socket: Socket) => void) | undefined) {
  await using server = await execServer(talk)
  const run = await openRunInPod({ kubeconfig: server.kubeconfig }, new FakeClock())
  const result = await run(WHERE, ['steeple', 'server', 'agent', 'list', '-output', 'json'])
  return { result, asked: server.asked }
}

test('what a program prints on either stream is heard, and how it ended', async () => {
  const { result, asked } = await ran((socket) => {
    send(socket, STDOUT, 'one ')
    send(socket, STDERR, 'warning')
    send(socket, STDOUT, 'x'.repeat(1000))
    status(socket, { status: 'Success' })
  })
  expect(result).toEqual({ code: 0, stdout: `one ${'x'.repeat(1000)}`, stderr: 'warning' })
  expect(asked).toEqual([
    expect.stringContaining(
      '/api/v1/namespaces/shop/pods/cart/exec?stdout=true&stderr=true&stdin=false',
    ),
  ])
  expect(asked[0]).toContain('container=app')
  expect(asked[0]).toContain('command=steeple&command=server&command=agent')
})

test('a program that fails has its exit code', async () => {
  const { result } = await ran((socket) => {
    send(socket, STDERR, 'no')
    status(socket, {
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    })
  })
  expect(result).toEqual({ code: 7, stdout: '', stderr: 'no' })
})

const CANNOT = 'cannot run steeple server agent list in pod shop/cart: '

test.for([
  ['a connection that is refused', undefined, 'Unexpected server response: 403'],
  [
    'a program that is not in the container',
    (socket: Socket) => status(socket, { status: 'Failure', message: 'no such file' }),
    'no such file',
  ],
  [
    'a failure without a reason',
    (socket: Socket) => status(socket, { status: 'Failure' }),
    'it gave no reason',
  ],
  [
    'an exit code that is no number',
    (socket: Socket) =>
      status(socket, {
        status: 'Failure',
        message: 'odd',
        details: { causes: [{ reason: 'ExitCode', message: 'many' }] },
      }),
    'odd',
  ],
  [
    'a connection that ends before the program has',
    (socket: Socket) => socket.end(),
    'the connection was closed',
  ],
] as const)('%s is told', async ([, talk, why]) => {
  await expect(ran(talk)).rejects.toThrow(CANNOT + why)
})

test('a program that does not end is given up after a minute', async () => {
  const clock = new FakeClock()
  await using server = await execServer(() => {})
  const run = await openRunInPod({ kubeconfig: server.kubeconfig }, clock)
  const running = run(WHERE, ['sleep'])
  running.catch(() => {})
  await clock.sleepers(1)
  clock.advance(60_000)
  await expect(running).rejects.toThrow(
    'cannot run sleep in pod shop/cart: it did not end within 60 s',
  )
})

test('an API server that is away is told', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'exec-'))
  try {
    const kubeconfig = join(dir, 'kubeconfig')
    writeFileSync(kubeconfig, kubeconfigFor('http://127.0.0.1:1'))
    const run = await openRunInPod({ kubeconfig }, new FakeClock())
    await expect(run(WHERE, ['true'])).rejects.toThrow(
      /cannot run true in pod shop\/cart: .*ECONNREFUSED/,
    )
  } finally {
    rmSync(dir, { recursive: true })
  }
})
