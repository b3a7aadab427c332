import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, Metadata, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AgentConfig } from '../../agent/config.ts'
import { runAgent } from '../../agent/main.ts'
import { DEFAULT_SDS_SETTINGS } from '../../agent/sds/settings.ts'
import { NO_RATES } from '../../agent/workload-api/rate-limit.ts'
import type { DiscoveryResponse } from '../../proto/gen/envoy/service/discovery/v3/DiscoveryResponse.ts'
import type { GetInfoResponse } from '../../proto/gen/spire/agent/debug/v1/GetInfoResponse.ts'
import type { X509SVIDResponse } from '../../proto/gen/X509SVIDResponse.ts'
import { agentDebugApi, secretDiscoveryApi, workloadApi } from '../../proto/load.ts'
import { fromStatus } from '../../proto/status.ts'
import { formatBundlePem } from '../../spiffe/bundle/pem.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parsePkcs8, spkiOf } from '../../spiffe/key.ts'
import { parseCertificates } from '../../spiffe/x509/certificate.ts'
import { TEST_NOW, testCa } from '../fakes/ca.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeServer, wireEntry } from '../fakes/fake-server.ts'
import { memoryLog } from '../fakes/memory-log.ts'
import { messages, secured, unary } from '../fakes/workload-endpoint.ts'

const ca = await testCa()
const HOUR = 3600_000

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-agent-'))
  writeFileSync(join(dir, 'bundle.pem'), formatBundlePem(ca.bundle))
})
afterEach(() => rmSync(dir, { recursive: true }))

const uid = { selectors: [{ type: 'unix', value: `uid:${process.getuid?.()}` }] }

function configOf(port: number, change: Partial<AgentConfig> = {}): AgentConfig {
  return {
    adminSocketPath: undefined,
    allowUnauthenticatedVerifiers: false,
    allowedForeignJwtClaims: [],
    authorizedDelegates: [],
    availabilityTargetSeconds: undefined,
    bootstrap: { kind: 'file', path: join(dir, 'bundle.pem'), format: 'pem' },
    broker: undefined,
    dataDir: join(dir, 'data'),
    disableWorkloadApi: false,
    health: undefined,
    joinToken: 'token',
    jwtSvidCacheHitTimeoutMs: undefined,
    jwtSvidCacheMaxSize: 10,
    keyManager: { kind: 'disk', directory: join(dir, 'data') },
    log: { level: 'INFO', format: 'text', file: undefined, hasSource: false },
    logSelectors: [],
    nodeAttestor: { kind: 'join_token' },
    rebootstrap: { mode: 'never', delayMs: 600_000 },
    requirePqKem: false,
    sds: DEFAULT_SDS_SETTINGS,
    serverAddress: '127.0.0.1',
    serverPort: port,
    otherServers: [],
    socketPath: join(dir, 'public', 'api.sock'),
    syncIntervalMs: 5_000,
    telemetry: undefined,
    trustDomain: ca.trustDomain,
    usesSyncEntries: true,
    warnings: [],
    workloadAttestors: [{ kind: 'unix', discoverWorkloadPath: false, workloadSizeLimitBytes: 0 }],
    workloadKeyType: 'ec-p256',
    workloadRates: NO_RATES,
    x509SvidCacheMaxSize: 10,
    ...change,
  }
}

function start(config: AgentConfig, clock: FakeClock) {
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const ready = Promise.withResolvers<void>()
  const running = runAgent(config, {
    log,
    clock,
    signal: stop.signal,
    version: '1.2.3',
    onReady: ready.resolve,
  })
  running.then(ready.reject, ready.reject)
  ready.promise.catch(() => {})
  return {
    ...{ lines, running, ready: ready.promise },
    stop: async () => {
      stop.abort()
      await running
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running.catch(() => {})
    },
  }
}

/** A stream of X.509-SVIDs of this process, as a workload has it. */
function workload() {
  const client = new (workloadApi())(
    `unix:${join(dir, 'public', 'api.sock')}`,
    credentials.createInsecure(),
  )
  const metadata = new Metadata()
  metadata.set('workload.spiffe.io', 'true')
  const call = client.FetchX509SVID({}, metadata)
  call.on('error', () => {})
  const messages = call[Symbol.asyncIterator]()
  return {
    async next(): Promise<X509SVIDResponse> {
      const { value } = await messages.next().catch((error: unknown) => {
        throw fromStatus(error)
      })
      return value
    },
    [Symbol.dispose]() {
      call.cancel()
      client.close()
    },
  }
}

const idsOf = ({ svids }: X509SVIDResponse) => svids.map(({ spiffe_id }) => spiffe_id)
const dataFiles = () => readdirSync(join(dir, 'data'), { recursive: true }).map(String).sort()

async function setUp(change: Partial<AgentConfig> = {}) {
  const clock = new FakeClock(TEST_NOW)
  const server = await FakeServer.start(clock, { ca })
  server.entries.set('a', wireEntry('a', uid))
  return { clock, server, config: configOf(server.port, change) }
}

test('an agent attests, follows the server, and serves a workload its SVID', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  using stream = workload()
  const { svids } = await stream.next()
  expect(svids.map(({ spiffe_id }) => spiffe_id)).toEqual(['spiffe://example.org/a'])
  const [leaf] = parseCertificates(svids[0]?.x509_svid ?? Buffer.alloc(0))
  const key = parsePkcs8(svids[0]?.x509_svid_key ?? Buffer.alloc(0))
  expect(spkiOf(key)).toEqual(Buffer.from(leaf?.spki ?? Buffer.alloc(0)))
  expect(statSync(config.socketPath).mode & 0o777).toBe(0o777)
  expect(server.calls).toContain('PostStatus')
})

test('a new entry reaches an open stream as soon as the server tells of it', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  using stream = workload()
  await stream.next()
  const entry = wireEntry('b', uid)
  server.entries.set('b', entry)
  server.push({ entries: [entry] })
  expect(idsOf(await stream.next())).toEqual(['spiffe://example.org/a', 'spiffe://example.org/b'])
})

test('a workload is served while the server is away, also after a restart of the agent meanwhile', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  {
    await using agent = start(config, clock)
    await agent.ready
    using stream = workload()
    await stream.next()
    await server.stop()
    using late = workload()
    expect(idsOf(await late.next())).toEqual(['spiffe://example.org/a'])
    await agent.stop()
  }
  await using again = start({ ...config, joinToken: undefined }, clock)
  await again.ready
  using stream = workload()
  expect(idsOf(await stream.next())).toEqual(['spiffe://example.org/a'])
})

test('expired SVIDs are not served after such a restart', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  server.ttlMs = HOUR
  server.gate = () => {
    server.ttlMs = server.calls.includes('BatchNewX509SVID') ? 60_000 : HOUR
  }
  {
    await using agent = start(config, clock)
    await agent.ready
    using stream = workload()
    await stream.next()
    await agent.stop()
  }
  await server.stop()
  clock.advance(120_000)
  await using again = start({ ...config, joinToken: undefined }, clock)
  await again.ready
  using stream = workload()
  let served: readonly string[] | undefined
  const first = stream.next().then((update) => {
    served = idsOf(update)
  })
  await expect.poll(() => again.lines.some(({ retry_ms }) => retry_ms !== undefined)).toBe(true)
  expect(served).toBeUndefined()
  await server.listen()
  await expect
    .poll(
      () => {
        clock.advance(10_000)
        return served
      },
      { timeout: 5_000 },
    )
    .toEqual(['spiffe://example.org/a'])
  await first
})

test('with keys in memory no private key touches the disk', async () => {
  const { clock, server, config } = await setUp({ keyManager: { kind: 'memory' } })
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  using stream = workload()
  await stream.next()
  expect(dataFiles()).toEqual(['agent-data.json'])
  expect(readFileSync(join(dir, 'data', 'agent-data.json'), 'utf8')).not.toContain('PRIVATE')
})

test('an agent that turns to keys in memory deletes those that it had on disk', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  {
    await using agent = start(config, clock)
    await agent.ready
    using stream = workload()
    await stream.next()
  }
  expect(dataFiles().some((name) => name.startsWith('cache/svids/'))).toBe(true)
  server.tokens.add('token')
  await using agent = start({ ...config, keyManager: { kind: 'memory' } }, clock)
  await agent.ready
  expect(existsSync(join(dir, 'data', 'cache'))).toBe(false)
})

test('a banned agent deletes what it holds and stops, saying why', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  server.gate = () => {
    throw new IdentityError('AGENT_BANNED', 'authorization denied')
  }
  clock.advance(HOUR / 2 + 10 * 60_000)
  await expect(agent.running).rejects.toMatchObject({
    code: 'AGENT_BANNED',
    message: expect.stringContaining('the agent is banned'),
  })
  expect(JSON.parse(readFileSync(join(dir, 'data', 'agent-data.json'), 'utf8')).svid).toBeNull()
  expect(existsSync(join(dir, 'data', 'cache'))).toBe(false)
  expect(existsSync(config.socketPath)).toBe(false)
})

test('a banned agent whose disk cannot be written still says why, and deletes what it holds', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  mkdirSync(join(dir, 'data', 'agent-data.json.tmp')) // where the next write would go
  server.gate = () => {
    throw new IdentityError('AGENT_BANNED', 'authorization denied')
  }
  clock.advance(HOUR / 2 + 10 * 60_000)
  await expect(agent.running).rejects.toMatchObject({ code: 'AGENT_BANNED' })
  expect(existsSync(join(dir, 'data', 'cache'))).toBe(false)
  const said = agent.lines.filter(({ msg }) => msg.includes('cannot be removed from data_dir'))
  expect(said).toHaveLength(1)
})

test('a second agent on the same socket is refused before it renews the SVID of the first', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  // The last calls of the first one on its own behalf: each later one would be the second's.
  await expect.poll(() => server.calls).toContain('BatchNewX509SVID')
  await expect.poll(() => server.calls).toContain('PostStatus')
  const files = ['agent-data.json', 'keys.json'].map((name) => join(dir, 'data', name))
  const before = files.map((path) => readFileSync(path, 'utf8'))
  let calls = 0
  server.gate = () => {
    calls += 1
  }
  // In the life of the second one, the SVID is due.
  await using second = start(
    config,
    new FakeClock(new Date(clock.now().getTime() + HOUR / 2 + 10 * 60_000)),
  )
  await expect(second.running).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('another process is listening'),
  })
  expect(calls).toBe(0)
  expect(files.map((path) => readFileSync(path, 'utf8'))).toEqual(before)
})

test('an agent that is stopped leaves no socket, and ends its streams', async () => {
  const { clock, server, config } = await setUp()
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  using stream = workload()
  await stream.next()
  const ended = expect(stream.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await agent.stop()
  await ended
  expect(existsSync(config.socketPath)).toBe(false)
})

test('an agent can be stopped while it waits for the server', async () => {
  const { clock, server, config } = await setUp()
  await server.stop()
  await using agent = start(config, clock)
  await expect.poll(() => agent.lines.some(({ retry_ms }) => retry_ms !== undefined)).toBe(true)
  await agent.stop()
})

test.for<[string, (path: string) => Partial<AgentConfig>, RegExp]>([
  ['data directory', (path) => ({ dataDir: path }), /^data_dir .* cannot be used/],
  ['socket directory', (path) => ({ socketPath: join(path, 's') }), /socket_path/],
  [
    'key directory',
    (directory) => ({ keyManager: { kind: 'disk', directory } }),
    /disk KeyManager/,
  ],
])('an agent does not start without its %s, and says which', async ([, change, reason]) => {
  const { clock, server, config } = await setUp(change(join(dir, 'bundle.pem', 'x')))
  await using _server = server
  await using agent = start(config, clock)
  await expect(agent.running).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(reason),
  })
})

test('neither the token nor any key is ever logged', async () => {
  const { clock, server, config } = await setUp({ joinToken: 'secret-token' })
  await using _server = server
  server.tokens.add('secret-token')
  await using agent = start(config, clock)
  await agent.ready
  using stream = workload()
  const { svids } = await stream.next()
  const key = svids[0]?.x509_svid_key.toString('base64') ?? 'none'
  const said = agent.lines
    .map((line) => JSON.stringify(line))
    // The agent's own ID ends with the token, as SPIRE has it.
    .join('\n')
    .replaceAll('/spire/agent/join_token/secret-token', '')
  expect(said).not.toContain('secret-token')
  expect(said).not.toContain(key)
})

test('administrators see the agent before it has heard from its server', async () => {
  const path = join(dir, 'private', 'admin.sock')
  const { clock, server, config } = await setUp({ adminSocketPath: path })
  await using _server = server
  server.gate = (method) => {
    if (method === 'Watch') throw new IdentityError('UNAVAILABLE', 'the database is away')
  }
  await using agent = start(config, clock)
  await expect.poll(() => existsSync(path)).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o770)
  expect(existsSync(config.socketPath)).toBe(false)
  const client = new (agentDebugApi())(`unix:${path}`, credentials.createInsecure())
  const info = await unary<GetInfoResponse>((by, done) => client.GetInfo({}, by, done))
  client.close()
  expect(info).toMatchObject({ last_sync_success: 0, cached_x509_svids_count: 0 })
  expect(agent.lines.map(({ msg }) => msg)).toContain('Serving the admin API')
})

test('an agent whose Workload API is turned off serves proxies on its public socket all the same', async () => {
  const { clock, server, config } = await setUp({ disableWorkloadApi: true })
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  const to = [`unix:${config.socketPath}`, credentials.createInsecure()] as const
  const [sds, workloads] = [new (secretDiscoveryApi())(...to), new (workloadApi())(...to)]
  const request = { resource_names: ['ROOTCA'] }
  const answer = await unary<DiscoveryResponse>((by, done) => sds.FetchSecrets(request, by, done))
  expect(answer.resources).toHaveLength(1)
  const bundles = messages(workloads.FetchX509Bundles({}, secured()))
  await expect(bundles.next()).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  sds.close()
  workloads.close()
  expect(agent.lines.find(({ msg }) => msg === 'Serving SDS')).toMatchObject({ apis: 'SDS' })
})

test('an agent whose secret discovery is turned off answers no proxy', async () => {
  const { clock, server, config } = await setUp({ sds: undefined })
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  const sds = new (secretDiscoveryApi())(`unix:${config.socketPath}`, credentials.createInsecure())
  const asked = unary((by, done) => sds.FetchSecrets({}, by, done))
  await expect(asked).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  sds.close()
})

test('an agent whose APIs are turned off makes no public socket, and says so', async () => {
  const path = join(dir, 'public', 'admin.sock') // it may lie there now
  const off = { disableWorkloadApi: true, sds: undefined }
  const { clock, server, config } = await setUp({ adminSocketPath: path, ...off })
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  expect(existsSync(config.socketPath)).toBe(false)
  expect(existsSync(path)).toBe(true)
  expect(agent.lines.map(({ msg }) => msg)).toContain('The Workload API is turned off')
  await agent.stop()
  expect(existsSync(path)).toBe(false)
})

test('an agent refuses to take over the admin socket of another one', async () => {
  const path = join(dir, 'private', 'admin.sock')
  const { clock, server, config } = await setUp({ adminSocketPath: path })
  await using _server = server
  await using agent = start(config, clock)
  await agent.ready
  await using late = start({ ...config, socketPath: join(dir, 'other', 'api.sock') }, clock)
  await expect(late.running).rejects.toThrow(`another process is listening on ${path}`)
})

test('the log says why a workload got no identity', async () => {
  const { clock, server, config } = await setUp({ logSelectors: ['unix:uid'] })
  await using _server = server
  server.entries.clear()
  server.entries.set('a', wireEntry('a', { selectors: [{ type: 'unix', value: 'uid:4242' }] }))
  await using agent = start(config, clock)
  await agent.ready
  using stream = workload()
  await expect(stream.next()).rejects.toThrow('no identity issued')
  const line = agent.lines.find(({ msg }) => msg.startsWith('No identity issued'))
  expect(line).toMatchObject({
    why: 'the process lacks the one selector of entry a (spiffe://example.org/a), which comes closest',
    selectors: `unix:uid:${process.geteuid?.()}`,
  })
})

test('an agent whose server has lost its authorities serves on, and begins anew by the configured bundle when it may', async () => {
  const { clock, server, config } = await setUp({
    rebootstrap: { mode: 'auto', delayMs: 20_000 },
  })
  server.reattestable = true
  await using agent = start(config, clock)
  await agent.ready
  const before = await firstBundle()
  await server.stop()
  const successor = await testCa()
  await using second = await FakeServer.start(clock, { ca: successor, port: server.port })
  second.reattestable = true
  second.entries.set('a', wireEntry('a', uid))
  const waits = () => agent.lines.some(({ time_left_ms }) => time_left_ms !== undefined)
  await expect.poll(() => tick(clock, waits)).toBe(true)
  expect(await firstBundle()).toEqual(before)
  writeFileSync(join(dir, 'bundle.pem'), formatBundlePem(successor.bundle))
  const isAnew = () => agent.lines.some(({ msg }) => String(msg).includes('begins anew'))
  await expect.poll(() => tick(clock, isAnew)).toBe(true)
  await expect
    .poll(() => firstBundle().catch(() => undefined))
    .toEqual(Buffer.from(successor.certificate))
  expect(JSON.parse(readFileSync(join(dir, 'data', 'agent-data.json'), 'utf8'))).toMatchObject({
    bootstrap_start_time: '0001-01-01T00:00:00Z',
  })
})

/** Lets a little time pass before it looks. */
function tick<T>(clock: FakeClock, look: () => T): T {
  clock.advance(2_000)
  return look()
}

async function firstBundle(): Promise<Uint8Array | undefined> {
  using stream = workload()
  return (await stream.next()).svids[0]?.bundle
}
