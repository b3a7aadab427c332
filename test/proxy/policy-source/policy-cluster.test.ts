import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UNREADABLE } from '../../../proxy/policy-source/assemble-policies.ts'
import { openPolicyCluster } from '../../../proxy/policy-source/policy-cluster.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { mesh, workload } from '../mesh.ts'
import { MemoryCluster } from './memory-cluster.ts'

const ROOT = '/apis/security.istio.io/v1'
const SHOP = `${ROOT}/namespaces/shop/authorizationpolicies`
const PODS = '/api/v1/namespaces/shop/pods'
const MODES = `${ROOT}/namespaces/istio-system/peerauthentications`
const DENY = { spec: { action: 'DENY', rules: [{}] } }
const BROKEN = { spec: { action: 'FORBID', rules: [{}] } }
const PATIENCE = { timeout: 5_000 }

type Settings = Partial<Parameters<typeof openPolicyCluster>[0]>

async function open(cluster: MemoryCluster, settings: Settings = {}) {
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const source = await openPolicyCluster({
    ...{ cluster, mesh, namespace: 'shop', podName: undefined, stateFile: undefined },
    ...{ clock: systemClock, random: () => 0, log, signal: stop.signal },
    ...settings,
  })
  let changes = 0
  source.onChange(() => {
    changes += 1
  })
  return {
    ...{ source, lines },
    changes: () => changes,
    names: () => source.current().authorizationPolicies.map(({ name }) => name),
    labels: () => source.workloadNow?.(workload).labels,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]()
    },
  }
}

function folder() {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-kept-'))
  return {
    file: join(dir, 'policies.json'),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true }),
  }
}

test('policies of the root namespace and of the workload’s own are followed, and no others', async () => {
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', DENY)
  cluster.put(`${ROOT}/namespaces/pay/authorizationpolicies`, 'other', DENY)
  await using at = await open(cluster)
  expect(at.names()).toEqual(['one'])
  cluster.put(MODES, 'default', { spec: { mtls: { mode: 'STRICT' } } })
  await expect.poll(() => at.source.current().peerAuthentications).toHaveLength(1)
  cluster.put(SHOP, 'two', DENY)
  await expect.poll(at.names).toEqual(['one', 'two'])
  cluster.remove(SHOP, 'one')
  await expect.poll(at.names).toEqual(['two'])
  expect(at.source.status()).toMatchObject({ objects: 2, problem: undefined })
})

test('a proxy of several workloads follows the policies of all namespaces', async () => {
  const cluster = new MemoryCluster()
  for (const name of ['pay', 'shop']) {
    cluster.put(`${ROOT}/namespaces/${name}/authorizationpolicies`, name, DENY)
  }
  await using at = await open(cluster, { namespace: undefined })
  expect(at.names().toSorted()).toEqual(['pay', 'shop'])
})

test('a status that somebody writes is no change', async () => {
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', DENY)
  await using at = await open(cluster)
  cluster.put(SHOP, 'one', { ...DENY, status: { conditions: [] } })
  cluster.put(SHOP, 'two', DENY)
  await expect.poll(at.names).toEqual(['one', 'two'])
  expect(at.changes()).toBe(1)
})

test('the labels of the pod are the workload’s, as they change, and stay when the pod is gone', async () => {
  const cluster = new MemoryCluster()
  cluster.put(PODS, 'db-1', {}, { labels: { app: 'db' } })
  await using at = await open(cluster, { podName: 'db-1' })
  expect(at.labels()).toEqual({ app: 'db' })
  cluster.put(PODS, 'db-1', {}, { labels: { app: 'db', tier: 'gold' } })
  await expect.poll(at.labels).toEqual({ app: 'db', tier: 'gold' })
  expect(at.changes()).toBe(1)
  cluster.remove(PODS, 'db-1')
  cluster.put(SHOP, 'one', DENY)
  await expect.poll(at.names).toEqual(['one'])
  expect(at.labels()).toEqual({ app: 'db', tier: 'gold' })
})

test('without the pod nothing is in force and nobody is told otherwise: the start waits for it', async () => {
  const cluster = new MemoryCluster()
  const opening = open(cluster, { podName: 'db-1' })
  await expect.poll(() => cluster.lists).toBeGreaterThan(5)
  cluster.put(PODS, 'db-1', {}, { labels: { app: 'db' } })
  await using at = await opening
  expect(at.labels()).toEqual({ app: 'db' })
})

test('an object that cannot be read is told, keeps what was in force, and its correction ends it', async () => {
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', DENY)
  await using at = await open(cluster)
  cluster.put(SHOP, 'two', BROKEN)
  await expect
    .poll(() => at.source.status().problem)
    .toBe(
      'AuthorizationPolicy shop/two: spec.action: expected ALLOW, DENY, AUDIT, CUSTOM, found "FORBID"',
    )
  expect(at.names()).toEqual(['one'])
  cluster.put(SHOP, 'two', DENY)
  await expect.poll(at.names).toEqual(['one', 'two'])
  expect(at.source.status().problem).toBeUndefined()
})

test('a start with an object that cannot be read denies everything in its namespace', async () => {
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', BROKEN)
  await using at = await open(cluster)
  expect(at.names()).toEqual([UNREADABLE])
  cluster.remove(SHOP, 'one')
  await expect.poll(at.names).toEqual([])
})

test('an API server that goes away changes nothing, is told, and what happened meanwhile is in force when it is back', async () => {
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', DENY)
  await using at = await open(cluster)
  cluster.breakOff('away')
  await expect.poll(() => at.source.status().problem).toMatch(/did not answer/)
  expect(at.names()).toEqual(['one'])
  cluster.put(SHOP, 'two', DENY)
  cluster.breakOff('gone')
  await expect.poll(at.names, PATIENCE).toEqual(['one', 'two'])
  await expect.poll(() => at.source.status().problem, PATIENCE).toBeUndefined()
})

test('a server that has forgotten where we were is asked for everything, and only what differs is a change', async () => {
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', DENY)
  await using at = await open(cluster)
  const before = cluster.lists
  cluster.breakOff('gone')
  await expect.poll(() => cluster.lists, PATIENCE).toBeGreaterThanOrEqual(before + 6)
  cluster.put(SHOP, 'two', DENY)
  await expect.poll(at.names, PATIENCE).toEqual(['one', 'two'])
  expect(at.changes()).toBe(1)
})

test.each([
  ['has no such policies', new Map(), /has no authorizationpolicies.security.istio.io.*install/],
  [
    'has one kind of them only',
    new Map([['v1', ['authorizationpolicies']]]),
    /has no peerauthentications.security.istio.io/,
  ],
])('a cluster that %s is waited for, and the log says what to install', async (_, served, why) => {
  const cluster = new MemoryCluster()
  cluster.served = served
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const opening = open(cluster, { log, signal: stop.signal })
  await expect.poll(() => lines.map(({ reason }) => String(reason)).join()).toMatch(why)
  stop.abort()
  await expect(opening).rejects.toMatchObject({ code: 'CANCELED' })
})

test('kinds that are served in the older version alone are read in that', async () => {
  const cluster = new MemoryCluster()
  cluster.served = new Map([
    ['v1', ['authorizationpolicies', 'requestauthentications']],
    ['v1beta1', ['peerauthentications']],
  ])
  const modes = '/apis/security.istio.io/v1beta1/namespaces/shop/peerauthentications'
  cluster.put(modes, 'default', { spec: { mtls: { mode: 'STRICT' } } })
  await using at = await open(cluster)
  expect(at.source.current().peerAuthentications).toMatchObject([{ mode: 'STRICT' }])
})

test('a start while the API server is away uses what was kept, and says so', async () => {
  using at = folder()
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', DENY)
  cluster.put(PODS, 'db-1', {}, { labels: { app: 'db' } })
  const settings = { stateFile: at.file, podName: 'db-1' }
  {
    await using first = await open(cluster, settings)
    cluster.put(SHOP, 'two', DENY)
    await expect.poll(first.names).toEqual(['one', 'two'])
    await expect.poll(() => readFileSync(at.file, 'utf8')).toContain('"two"')
  }
  expect(statSync(at.file).mode & 0o777).toBe(0o600)
  cluster.isAway = true
  const clock = new FakeClock()
  const opening = open(cluster, { ...settings, clock })
  await clock.sleepers(3)
  clock.advance(3_000)
  await using second = await opening
  expect(second.names()).toEqual(['one', 'two'])
  expect(second.labels()).toEqual({ app: 'db' })
  expect(second.source.status().problem).toMatch(/^policies are those that were kept in /)
})

test('what was kept of another namespace is not used', async () => {
  using at = folder()
  const cluster = new MemoryCluster()
  cluster.put(SHOP, 'one', DENY)
  {
    await using _first = await open(cluster, { stateFile: at.file })
    await expect.poll(() => readFileSync(at.file, 'utf8')).toContain('"one"')
  }
  cluster.isAway = true
  const stop = new AbortController()
  const clock = new FakeClock()
  const { log, lines } = memoryLog()
  const opening = open(cluster, {
    stateFile: at.file,
    namespace: 'pay',
    clock,
    log,
    signal: stop.signal,
  })
  await clock.sleepers(3)
  clock.advance(3_000)
  await expect
    .poll(() => lines.map(({ msg }) => msg))
    .toContain('Waiting for policies: no connection is taken before')
  stop.abort()
  await expect(opening).rejects.toMatchObject({ code: 'CANCELED' })
})

test('a file of kept policies that is damaged refuses to start, and says what to do', async () => {
  using at = folder()
  writeFileSync(at.file, '{')
  await expect(open(new MemoryCluster(), { stateFile: at.file })).rejects.toThrow(
    /is damaged: .*; remove it/,
  )
})
