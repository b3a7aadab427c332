/** What the kubelet is asked, what is believed of its answers, and how often it is asked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type KubeletConfig, openKubelet } from '../../../../agent/attest/k8s/kubelet.ts'
import { kubeletPods } from '../../../../agent/attest/k8s/kubelet-pods.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { memoryLog } from '../../../fakes/memory-log.ts'
import { podListText, podObject } from './pods.ts'
import { servingCertificate } from './serving-certificate.ts'

const { signal } = new AbortController()
const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void
const says =
  (text: string, code = 200): Answer =>
  (_, response) => {
    response.writeHead(code).end(text)
  }

async function serve(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  opened.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function readOnly(answer: Answer) {
  const port = await serve(createServer(answer))
  const kubelet = openKubelet({ kind: 'read-only', port }, systemClock)
  opened.push(() => kubelet[Symbol.dispose]())
  return kubelet
}

function folder(files: Readonly<Record<string, string>>) {
  const dir = mkdtempSync(join(tmpdir(), 'kubelet-'))
  opened.push(() => rmSync(dir, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return (name: string) => join(dir, name)
}

test('lists the pods of the read-only port', async () => {
  const asked: (string | undefined)[] = []
  const kubelet = await readOnly((request, response) => {
    asked.push(request.url)
    says(podListText(podObject()))(request, response)
  })
  expect(await kubelet.pods(signal)).toMatchObject([{ name: 'cart-1', nodeName: 'node1' }])
  expect(asked).toEqual(['/pods'])
})

test.for([
  ['an empty list', podListText()],
  ['a list of nothing', JSON.stringify({ items: null })],
] as const)('a node may have no pods: %s', async ([, text]) => {
  expect(await (await readOnly(says(text))).pods(signal)).toEqual([])
})

test.for([
  ['what is no JSON', says('<html>'), /no JSON/],
  ['half a list', says(podListText(podObject()).slice(0, -9)), /no JSON/],
  ['a text', says('"pods"'), /no list of items/],
  ['no list', says('{}'), /no list of items/],
  ['an object for a list', says('{"items": {}}'), /no list of items/],
  [
    'a refusal',
    says('Forbidden (user=system:anonymous)', 403),
    /it answered 403: Forbidden \(user/,
  ],
  [
    'pods of another node',
    says(podListText(podObject(), podObject({ spec: { nodeName: 'node2' } }))),
    /pods of two nodes, "node1" and "node2"/,
  ],
  [
    'a connection cut within the list',
    (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{', () => response.destroy())
    },
    /aborted/,
  ],
] as const)('refuses a kubelet that answers with %s', async ([, answer, message]) => {
  const kubelet = await readOnly(answer)
  await expect(kubelet.pods(signal)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(message),
  })
})

test('refuses a list without end', async () => {
  const kubelet = await readOnly((_, response) => {
    const block = Buffer.alloc(1024 * 1024, ' ')
    const write = () => {
      while (!response.destroyed && response.write(block));
    }
    response.on('drain', write).on('error', () => {})
    write()
  })
  await expect(kubelet.pods(signal)).rejects.toMatchObject({
    message: expect.stringMatching(/more than 67108864 bytes/),
  })
}, 10_000)

test('gives up on a kubelet that does not answer', async () => {
  const clock = new FakeClock()
  const arrived = Promise.withResolvers<void>()
  const port = await serve(createServer(() => arrived.resolve()))
  const kubelet = openKubelet({ kind: 'read-only', port }, clock)
  const asked = kubelet.pods(signal)
  asked.catch(() => {})
  await arrived.promise
  clock.advance(10_000)
  await expect(asked).rejects.toMatchObject({ message: expect.stringMatching(/within 10 s/) })
})

const secure = (port: number, more: Partial<Extract<KubeletConfig, { kind: 'secure' }>>) =>
  openKubelet(
    {
      kind: 'secure',
      port,
      nodeName: undefined,
      caPath: undefined,
      credentials: { kind: 'anonymous' },
      reloadIntervalMs: 60_000,
      ...more,
    },
    systemClock,
  )

async function secureKubelet(names: readonly string[]) {
  const { ca, certificate, key } = await servingCertificate(names)
  const seen: (string | undefined)[] = []
  const server = createTlsServer({ cert: certificate, key }, (request, response) => {
    seen.push(request.headers.authorization)
    response.end(podListText(podObject()))
  })
  const port = await serve(server)
  const path = folder({ 'ca.crt': ca, token: 'first\n' })
  return { port, seen, path, stranger: folder({ 'ca.crt': (await servingCertificate([])).ca }) }
}

test('shows its token to a kubelet whose certificate it verifies', async () => {
  const { port, seen, path } = await secureKubelet(['localhost'])
  const credentials = { kind: 'token', path: path('token') } as const
  const kubelet = secure(port, { nodeName: 'localhost', caPath: path('ca.crt'), credentials })
  expect(await kubelet.pods(signal)).toHaveLength(1)
  expect(seen).toEqual(['Bearer first'])
  kubelet[Symbol.dispose]()
})

test('reads a token that was exchanged on disk', async () => {
  const { port, seen, path } = await secureKubelet(['localhost'])
  const credentials = { kind: 'token', path: path('token') } as const
  const kubelet = secure(port, { caPath: path('ca.crt'), credentials, reloadIntervalMs: 0 })
  await kubelet.pods(signal)
  writeFileSync(path('token'), 'second\n')
  await kubelet.pods(signal)
  expect(seen).toEqual(['Bearer first', 'Bearer second'])
  kubelet[Symbol.dispose]()
})

test('at 127.0.0.1 the certificate may name anybody, but must come from the CA', async () => {
  const { port, path, stranger } = await secureKubelet(['node1'])
  expect(await secure(port, { caPath: path('ca.crt') }).pods(signal)).toHaveLength(1)
  await expect(secure(port, { caPath: stranger('ca.crt') }).pods(signal)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/certificate/),
  })
  expect(await secure(port, {}).pods(signal), 'unverified').toHaveLength(1)
})

test('a kubelet whose certificate names another node is refused', async () => {
  const { port, path } = await secureKubelet(['node1'])
  const kubelet = secure(port, { nodeName: 'localhost', caPath: path('ca.crt') })
  await expect(kubelet.pods(signal)).rejects.toMatchObject({
    message: expect.stringMatching(/altnames|localhost/),
  })
})

test('a token that cannot be read is a failure that names its file, not an anonymous request', async () => {
  const { port, seen } = await secureKubelet(['localhost'])
  const kubelet = secure(port, { credentials: { kind: 'token', path: '/nowhere/token' } })
  await expect(kubelet.pods(signal)).rejects.toMatchObject({
    message: expect.stringMatching(/\/nowhere\/token/),
  })
  expect(() => kubelet.check()).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/nowhere/) }),
  )
  expect(seen).toEqual([])
})

test('after a refusal the token is read again, however short ago that was', async () => {
  const seen: (string | undefined)[] = []
  const { certificate, key } = await servingCertificate(['localhost'])
  const server = createTlsServer({ cert: certificate, key }, (request, response) => {
    seen.push(request.headers.authorization)
    const isKnown = request.headers.authorization === 'Bearer second'
    says(isKnown ? podListText() : 'Unauthorized', isKnown ? 200 : 401)(request, response)
  })
  const path = folder({ token: 'first' })
  const credentials = { kind: 'token', path: path('token') } as const
  const kubelet = secure(await serve(server), { credentials })
  await expect(kubelet.pods(signal)).rejects.toMatchObject({
    message: expect.stringMatching(/answered 401: Unauthorized/),
  })
  writeFileSync(path('token'), 'second')
  expect(await kubelet.pods(signal)).toEqual([])
  expect(seen).toEqual(['Bearer first', 'Bearer second'])
  kubelet[Symbol.dispose]()
})

function source(lists: readonly (() => Promise<readonly never[]>)[], maxPollAttempts = 3) {
  const clock = new FakeClock()
  const { log, lines } = memoryLog()
  let asked = 0
  const kubelet = {
    check() {},
    pods: () => lists[Math.min(asked++, lists.length - 1)]?.() ?? Promise.resolve([]),
    [Symbol.dispose]() {},
  }
  const deps = { kubelet, maxPollAttempts, pollRetryIntervalMs: 500, clock, log }
  return { pods: kubeletPods(deps), clock, lines, asked: () => asked }
}
const none = async () => []
const away = async () => {
  throw new Error('connection refused')
}
const full = { signal, patience: 'full' } as const

test('all who wait share one request, and its list is used until the interval is over', async () => {
  const { pods, clock, asked } = source([none])
  await Promise.all([1, 2, 3].map(() => pods.search(() => 'here', full)))
  await pods.search(() => 'here', full)
  expect(asked()).toBe(1)
  clock.advance(500)
  await pods.search(() => 'here', full)
  expect(asked()).toBe(2)
})

test('looks again at each new list, at most once in an interval, and gives up in the end', async () => {
  const { pods, clock, asked } = source([none])
  let looks = 0
  const searched = pods.search(() => {
    looks += 1
    return undefined
  }, full)
  for (const _ of [1, 2]) {
    await clock.sleepers(1)
    clock.advance(500)
  }
  expect(await searched).toEqual({ kind: 'gave-up', problem: undefined })
  expect([looks, asked()]).toEqual([3, 3])
})

test('somebody who only asks is told after one list', async () => {
  const { pods, asked } = source([none])
  const searched = await pods.search(() => undefined, { signal, patience: 'once' })
  expect(searched).toEqual({ kind: 'gave-up', problem: undefined })
  expect(asked()).toBe(1)
})

test('a kubelet that is away is asked again, said once, and named in the end', async () => {
  const { pods, clock, lines } = source([away])
  const searched = pods.search(() => 'never', full)
  for (const _ of [1, 2]) {
    await clock.sleepers(1)
    clock.advance(500)
  }
  expect(await searched).toEqual({ kind: 'gave-up', problem: 'connection refused' })
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
})

test('a kubelet that comes back is believed again', async () => {
  const { pods, clock } = source([away, none])
  const searched = pods.search(() => 'here', full)
  await clock.sleepers(1)
  clock.advance(500)
  expect(await searched).toEqual({ kind: 'found', value: 'here' })
})

test('a caller that hangs up stops waiting, and what the search refuses is told at once', async () => {
  const { pods, clock } = source([none])
  const caller = new AbortController()
  const waiting = pods.search(() => undefined, { signal: caller.signal, patience: 'full' })
  await clock.sleepers(1)
  caller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELED' })
  const refused = pods.search(() => {
    throw new Error('two pods')
  }, full)
  clock.advance(500)
  await expect(refused).rejects.toThrow('two pods')
})
