import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { readProxyConfig } from '../../proxy/config.ts'
import { runProxy } from '../../proxy/main.ts'
import type { OpenListener } from '../../proxy/serving-plane.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { memoryLog } from '../fakes/memory-log.ts'
import { currentCa, identityOf } from '../fakes/svids.ts'
import { openWorkloadEndpoint } from '../fakes/workload-endpoint.ts'

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')

const configOf = (socket: string, settings = '', listen = '127.0.0.1:0') =>
  readProxyConfig({
    path: 'proxy.conf',
    text: `proxy {
      workload_api_socket = "${socket}"
      inbound "db" { listen = "${listen}"  upstream = "127.0.0.1:1" }
      ${settings}
    }`,
    ...{ flags: {}, env: {} },
    readText: () => '',
  })

async function agentWithIdentity() {
  const endpoint = await openWorkloadEndpoint({ clock: systemClock })
  endpoint.source.set({ identities: [db], bundle: ca.bundle })
  return endpoint
}

function start(config: ReturnType<typeof configOf>) {
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const ready = Promise.withResolvers<{ readonly open: readonly OpenListener[] }>()
  const over = runProxy(config, {
    ...{ log, clock: systemClock, signal: stop.signal, onReady: ready.resolve },
  })
  return { lines, over, ready: ready.promise, stop: () => stop.abort() }
}

test('with an identity it listens, and when it is stopped nothing of it is left', async () => {
  await using agent = await agentWithIdentity()
  const proxy = start(configOf(agent.path))
  const { open } = await proxy.ready
  expect(open).toMatchObject([{ name: 'db', address: { host: '127.0.0.1' } }])
  expect(proxy.lines).toMatchObject([
    { msg: 'Identity obtained', spiffe_id: 'spiffe://example.org/ns/shop/sa/db' },
    { msg: 'Configured', namespace: 'shop', serviceAccount: 'db' },
    { msg: 'Listening' },
  ])
  proxy.stop()
  await proxy.over
  expect(proxy.lines.at(-1)?.msg).toBe('Stopped')
})

test('nothing listens while there is no identity, and it can be stopped then, too', async () => {
  await using agent = await openWorkloadEndpoint({ clock: systemClock })
  const proxy = start(configOf(agent.path))
  await expect.poll(() => proxy.lines.map(({ code }) => code)).toContain('NO_IDENTITY_ISSUED')
  expect(proxy.lines.map(({ msg }) => msg)).not.toContain('Listening')
  proxy.stop()
  await proxy.over
})

test.each([
  ['an SVID of another trust domain', 'trust_domain = "other.org"', /expected other\.org/],
  [
    'a directory of policies that is not there',
    'policy_dir = "/nowhere"',
    /choose another policy_dir/,
  ],
  ['an access log that cannot be opened', 'access_log = "/nowhere/a"', /choose another access_log/],
  [
    'a user whose connections no rule lets pass',
    'capture { proxy_uid = 4242  inbound_port = 1  outbound_port = 2 }',
    /proxy_uid is 4242, and the proxy runs as \d+; run it as the user/,
  ],
  [
    'CAs of a collector that cannot be read',
    'tracing { otlp_endpoint = "https://127.0.0.1:4318"  ca_file = "/nowhere" }',
    /proxy\.tracing\.ca_file/,
  ],
  [
    'headers for a collector that cannot be read',
    'tracing { otlp_endpoint = "https://127.0.0.1:4318"  headers_file = "/nowhere" }',
    /proxy\.tracing\.headers_file/,
  ],
  ['CAs of issuers that cannot be read', 'jwks { ca_file = "/nowhere" }', /proxy\.jwks\.ca_file/],
])('%s refuses to start', async (_, settings, message) => {
  await using agent = await agentWithIdentity()
  await expect(start(configOf(agent.path, settings)).over).rejects.toThrow(message)
})

test('a port that somebody has refuses to start, and names the key to change', async () => {
  await using agent = await agentWithIdentity()
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const proxy = start(configOf(agent.path, '', `127.0.0.1:${port}`))
  await expect(proxy.over).rejects.toThrow(/choose another proxy\.inbound\.db\.listen/)
  other.close()
})

test('an identity that the agent withdraws is told, and the proxy waits for another', async () => {
  await using agent = await agentWithIdentity()
  const proxy = start(configOf(agent.path))
  await proxy.ready
  agent.source.set({ identities: [] })
  await expect
    .poll(() => proxy.lines.map(({ msg }) => msg))
    .toContain('There is no identity any more')
  agent.source.set({ identities: [await identityOf(ca, '/ns/shop/sa/db')] })
  await expect
    .poll(() => proxy.lines.map(({ msg }) => msg), { timeout: 8_000 })
    .toContain('Identity or bundles changed')
  proxy.stop()
  await proxy.over
})
