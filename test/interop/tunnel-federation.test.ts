/**
 * SPIRE's suite of a tunnel between two federated trust domains, with programs on go-spiffe and our proxy as the tunnel's
 * ends, under our agents and SPIRE's: it carries what the bundles allow, through a rotation on both sides; without the bundle
 * of the other side it is cut at once, and with it again it is whole again.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { Kind, Server } from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'
import { startProxy } from '../processes/proxy.ts'
import {
  activate,
  type Domain,
  openTwoDomains,
  prepare,
  succeed,
  workloadEnv,
} from './federation/two-domains.ts'
import { interop, type Peer, peer } from './interop.ts'

/** Longer than any agent takes to hear of a bundle. */
const HEARD_MS = 60_000

/** One request on a connection of its own; undefined when it was refused or cut. */
async function ask(port: number): Promise<string | undefined> {
  const held = await hold(port)
  held?.socket.destroy()
  return held?.answer
}

interface Held {
  readonly socket: Socket
  readonly answer: string
  readonly ended: Promise<void>
}

/** A connection that has carried one request and stays open; undefined when none came through. */
async function hold(port: number): Promise<Held | undefined> {
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: tunnel\r\n\r\n')
  let answer = ''
  const { promise, resolve } = Promise.withResolvers<Held | undefined>()
  socket.on('error', () => {}) // it ends then
  const ended = new Promise<void>((over) => socket.once('close', () => over()))
  void ended.then(() => resolve(undefined))
  socket.on('data', (chunk) => {
    answer += chunk
    if (answer.includes('hello')) resolve({ socket, answer, ended })
  })
  return await promise
}

async function goCall(from: Domain, port: number, to: Domain): Promise<string> {
  const url = `https://127.0.0.1:${port}`
  const env = workloadEnv(from.agent)
  const { code, stdout, stderr } = await run(peer('go-client'), ['call', url, to.workloadId], {
    env,
  })
  return code === 0 ? stdout : `refused: ${stderr}`
}

async function goServe(on: Domain, client: Domain) {
  const env = workloadEnv(on.agent)
  const serving = start(peer('go-client'), ['serve', '127.0.0.1:0', client.workloadId], { env })
  const [, port = ''] = await serving.line(/"listening":"127\.0\.0\.1:(\d+)"/)
  return { serving, port: Number(port) }
}

/** What stands behind our proxy. */
async function openPlainServer() {
  const server = createServer((_, response) => void response.end('hello from behind the proxy'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return { port, [Symbol.dispose]: () => void server.close() }
}

async function setBundle(server: Server, other: Server): Promise<void> {
  const path = join(server.dir, 'other.json')
  writeFileSync(path, await succeed(other, 'bundle', 'show', '-format', 'spiffe'))
  const id = `spiffe://${other.trustDomain}`
  await succeed(server, 'bundle', 'set', '-format', 'spiffe', '-id', id, '-path', path)
}

async function refederate({ server, agent, workloadId }: Domain, other: Server): Promise<void> {
  await setBundle(server, other)
  const { entries } = JSON.parse(
    await succeed(server, 'entry', 'show', '-spiffeID', workloadId, '-output', 'json'),
  )
  await succeed(
    server,
    ...['entry', 'update', '-entryID', entries[0].id, '-parentID', agent.id],
    ...['-spiffeID', workloadId, '-selector', `unix:uid:${process.getuid?.()}`],
    ...['-federatesWith', `spiffe://${other.trustDomain}`],
  )
}

async function story(kinds: readonly [Kind, Kind]): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const domains = stack.use(await openTwoDomains(kinds, 'https_spiffe'))
  const { left, right } = domains
  const plain = stack.use(await openPlainServer())
  const { serving, port: goPort } = await goServe(right, left)
  stack.use(serving)
  const proxy = stack.use(
    await startProxy(left.agent, {
      settings: `outbound "out" {
        listen = "127.0.0.1:0"  upstream = "127.0.0.1:${goPort}"  protocol = "tcp"
        authorize = ["${right.workloadId}"]
      }
      inbound "in" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${plain.port}"  mtls = "strict" }
      mesh { federated_trust_domains = ["${right.server.trustDomain}"] }`,
    }),
  )
  const [{ port: out }, { port: into }] = [await proxy.address('out'), await proxy.address('in')]
  const bothWays = async () =>
    (await ask(out))?.includes(`hello ${left.workloadId}`) === true &&
    (await goCall(right, into, left)).includes('hello from behind the proxy')
  await until('the tunnel to carry both ways', bothWays, HEARD_MS)

  for (const { server } of [left, right]) await prepare(server)
  for (const [{ server }, other] of [
    [left, right],
    [right, left],
  ] as const) {
    await succeed(server, 'federation', 'refresh', '-id', `spiffe://${other.server.trustDomain}`)
  }
  await domains.bothKnow()
  for (const { server } of [left, right]) await activate(server)
  expect(await bothWays()).toBe(true)

  const held = await hold(out)
  if (held === undefined) throw new Error('the tunnel carried nothing')
  const gone = ['-id', `spiffe://${right.server.trustDomain}`, '-mode', 'dissociate']
  await succeed(left.server, 'bundle', 'delete', ...gone)
  await held.ended
  expect(await ask(out)).toBeUndefined()
  expect(await goCall(right, into, left)).toContain('refused: ')

  await refederate(left, right.server)
  await until('the tunnel to carry both ways again', bothWays, HEARD_MS)
}

describe.concurrent('a tunnel between two trust domains', () => {
  const needed: readonly Peer[] = ['spire-server', 'spire-agent', 'go-client']
  const pairs: readonly (readonly [Kind, Kind])[] = [
    ['steeple', 'spire'],
    ['spire', 'steeple'],
    ['steeple', 'steeple'],
  ]
  for (const kinds of pairs) {
    interop(`our proxy in ${kinds[0]}'s, go-spiffe in ${kinds[1]}'s`, needed, () => story(kinds))
  }
})
