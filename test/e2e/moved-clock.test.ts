/**
 * Real servers and agents whose clock is set while they run, and an agent that was suspended for hours. Needs a C compiler:
 * without one these tests are skipped, and say so.
 */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { X509SVIDResponse } from '../../proto/gen/X509SVIDResponse.ts'
import { workloadApi } from '../../proto/load.ts'
import { fingerprintOf } from '../../server/attest/x509pop-selectors.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { securityHeader } from '../../workload/workload-client.ts'
import { testCa } from '../fakes/ca.ts'
import {
  type Agent,
  launchAgent,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { compiler, type MovedClock, openMovedClock } from '../processes/moved-clock.ts'
import { until } from '../processes/process.ts'

const HOUR = 3_600
const LONG_MS = 600_000
/** Between two streams of a workload. */
const PAUSE_MS = 100
const WORKLOAD = 'spiffe://example.org/workload'

const dir = mkdtempSync(join(tmpdir(), 'steeple-moved-'))
beforeAll(() => {
  if (compiler !== undefined) return
  process.stderr.write('no C compiler: no clock is moved, and nothing is tested here\n')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Served {
  readonly id: string
  readonly validFrom: Date
  readonly validTo: Date
}

interface Watched extends Disposable {
  /** What was served last. */
  last(): readonly Served[]
  /** Everything that had expired when it was served, over all the time. */
  readonly expired: string[]
}

/** A workload that holds a stream open, begins another one when it ends, and looks at each SVID by the moved clock. */
function watch({ socket }: Agent, clock: MovedClock): Watched {
  const client = new (workloadApi())(`unix:${socket}`, credentials.createInsecure())
  const expired: string[] = []
  let last: readonly Served[] = []
  let isOver = false
  const follow = async () => {
    while (!isOver) {
      const stream = client.FetchX509SVID({}, securityHeader())
      try {
        // Cast: grpc-js types its streams as streams of anything.
        for await (const { svids } of stream as AsyncIterable<X509SVIDResponse>) {
          const now = clock.now()
          last = svids.map(readServed)
          for (const { id, validTo } of last) if (validTo <= now) expired.push(id)
        }
      } catch {
        last = []
      }
      await systemClock.sleep(PAUSE_MS)
    }
  }
  void follow()
  return {
    last: () => last,
    expired,
    [Symbol.dispose]() {
      isOver = true
      client.close()
    },
  }
}

function readServed({
  spiffe_id: id,
  x509_svid: chain,
}: X509SVIDResponse['svids'][number]): Served {
  const { validFrom, validTo } = new X509Certificate(chain)
  return { id, validFrom: new Date(validFrom), validTo: new Date(validTo) }
}

/** What a workload that comes now is given; nothing when it is told that there is nothing. */
async function fetchNow({ socket }: Agent): Promise<readonly Served[]> {
  const client = new (workloadApi())(`unix:${socket}`, credentials.createInsecure())
  const stream = client.FetchX509SVID({}, securityHeader())
  try {
    for await (const { svids } of stream as AsyncIterable<X509SVIDResponse>)
      return svids.map(readServed)
    return []
  } catch {
    return []
  } finally {
    stream.cancel()
    client.close()
  }
}

async function register(server: Server, parent: string, id = WORKLOAD): Promise<void> {
  const created = await server.cli(
    ...(['steeple', 'entry', 'create', '-parentID', parent, '-spiffeID', id] as const),
    ...['-selector', `unix:uid:${process.getuid?.()}`],
  )
  expect(created.stderr).toBe('')
}

async function servedValid(agent: Agent, workload: Watched, clock: MovedClock): Promise<void> {
  await until('valid SVIDs', async () => allAreValid(workload.last(), clock.now())).catch(
    (cause) => {
      const last = JSON.stringify(workload.last())
      const why = `at ${clock.now().toISOString()} ${last} is served; the agent said: ${agent.process().output()}`
      throw new Error(why, { cause })
    },
  )
}

const allAreValid = (served: readonly Served[], now: Date) =>
  served.length > 0 && served.every(({ validFrom, validTo }) => validFrom <= now && now < validTo)

test.skipIf(compiler === undefined)(
  'while the clock is set an hour forward and back again, workloads are served what is valid, and nothing has to be started anew',
  async () => {
    using clock = openMovedClock()
    const { env } = clock
    // The agent renews its own SVID in the hour that is then taken back.
    const settings = 'agent_ttl = "90m"  default_x509_svid_ttl = "30m"'
    const node = await machine()
    const nodeAttestor = node.server
    await using server = await startServer('steeple', { env, settings, nodeAttestor })
    await using agent = await startAgent('steeple', server, { env, nodeAttestor: node })
    await register(server, agent.id)
    using workload = watch(agent, clock)
    const isServed = () => servedValid(agent, workload, clock)
    await isServed()

    clock.moveTo(HOUR)
    for (const { validTo } of await fetchNow(agent)) expect(validTo > clock.now()).toBe(true)
    await isServed()
    await agent.process().line(/The clock went ahead at once: .*seconds=36\d\d/)
    await agent.process().line(/Agent SVID renewed/)

    clock.moveTo(0)
    await agent.process().line(/The clock was set back: .*seconds=3[56]\d\d/)
    await isServed()
    await register(server, agent.id, `${WORKLOAD}/later`)
    await until('the later entry', async () => workload.last().length === 2)
    await isServed()
    expect(workload.expired).toEqual([])
  },
  LONG_MS,
)

/** A machine that can attest again, and what vouches for it; good for the hours that are slept. */
async function machine() {
  const validity = { notBefore: new Date('2020-01-01'), notAfter: new Date('2100-01-01') }
  const ca = await testCa({ ...validity, uriSans: [] })
  const node = await ca.leaf('', { ...validity, uriSans: [], extKeyUsage: undefined })
  writeFileSync(join(dir, 'ca.pem'), toPem('CERTIFICATE', ca.certificate))
  writeFileSync(join(dir, 'node.pem'), toPem('CERTIFICATE', node.certificate))
  writeFileSync(join(dir, 'node.key'), node.key.export({ type: 'pkcs8', format: 'pem' }))
  return {
    server: `NodeAttestor "join_token" { plugin_data {} }
      NodeAttestor "x509pop" { plugin_data { ca_bundle_path = "${dir}/ca.pem" } }`,
    block: `NodeAttestor "x509pop" { plugin_data {
      certificate_path = "${dir}/node.pem" private_key_path = "${dir}/node.key"
    } }`,
    id: `spiffe://example.org/spire/agent/x509pop/${fingerprintOf({ der: node.certificate })}`,
  }
}

test.skipIf(compiler === undefined)(
  'agents that slept for five hours hand out nothing that has expired; who can attest again does so by itself, and who cannot says what to do',
  async () => {
    using clock = openMovedClock()
    const { env } = clock
    const node = await machine()
    await using server = await startServer('steeple', { env, nodeAttestor: node.server })
    await using agent = await startAgent('steeple', server, { env, nodeAttestor: node })
    await using bound = await launchAgent('steeple', server, { env })
    await register(server, agent.id)
    await bound.process().line(/In sync with the server/)
    using workload = watch(agent, clock)
    const isServed = () => servedValid(agent, workload, clock)
    await isServed()

    for (const one of [agent, bound]) one.process().kill('SIGSTOP')
    clock.moveTo(5 * HOUR)
    for (const one of [agent, bound]) one.process().kill('SIGCONT')
    for (const { validTo } of await fetchNow(agent)) expect(validTo > clock.now()).toBe(true)
    await isServed()
    await agent.process().line(/The clock went ahead at once: .*seconds=1800\d/)
    await agent.process().line(/Agent SVID renewed/)
    expect(workload.expired).toEqual([])
    expect(await bound.process().ended).toBe(1)
    expect(bound.process().output()).toMatch(/cannot go on: its SVID has expired.*join token/)
  },
  LONG_MS,
)
