/** The admin socket of an agent, over a real socket: who may open it, and what it tells. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { Client, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { GetInfoResponse } from '../../../proto/gen/spire/agent/debug/v1/GetInfoResponse.ts'
import type { Logger } from '../../../proto/gen/spire/api/types/Logger.ts'
import type { ExplainProcessResponse } from '../../../proto/gen/steeple/agent/explain/v1/ExplainProcessResponse.ts'
import { agentDebugApi, agentLoggerApi, explainApi } from '../../../proto/load.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { openAdminEndpoint } from '../../fakes/admin-endpoint.ts'
import { TEST_NOW } from '../../fakes/ca.ts'
import { cachedEntry, cachedSvid } from '../../fakes/cached-entry.ts'
import { unary } from '../../fakes/workload-endpoint.ts'

async function open() {
  const admin = await openAdminEndpoint()
  const { client } = admin
  return {
    ...admin,
    [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose](),
    info: () => unary<GetInfoResponse>((by, done) => client(agentDebugApi()).GetInfo({}, by, done)),
    explain: (request: { pid: number; entry_ids?: string[] }) =>
      unary<ExplainProcessResponse>((by, done) =>
        client(explainApi()).ExplainProcess(request, by, done),
      ),
  }
}

test('owner and group may open the socket, nobody else', async () => {
  await using admin = await open()
  expect(statSync(admin.path).mode & 0o777).toBe(0o770)
})

test.for([
  '/SpiffeWorkloadAPI/FetchX509SVID',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.health.v1.Health/Check',
])('%s is not served here', async (method) => {
  await using admin = await open()
  const empty = Buffer.of()
  const call = admin.client(Client).makeServerStreamRequest(
    method,
    () => empty,
    (bytes) => bytes,
    empty,
  )
  const error = await new Promise((resolve) => call.on('error', resolve))
  expect(error).toMatchObject({ code: status.UNIMPLEMENTED })
})

test('an agent that has never heard from its server says so', async () => {
  await using admin = await open()
  expect(await admin.info()).toMatchObject({ last_sync_success: 0, uptime: 0, svids_count: 0 })
})

test('GetInfo tells the chain down to the root, the time, and what is cached', async () => {
  await using admin = await open()
  const entry = cachedEntry('a')
  admin.cache.apply({
    kind: 'changes',
    entries: [entry],
    removedEntryIds: [],
    bundle: undefined,
    federated: undefined,
  })
  admin.cache.store([cachedSvid(entry, TEST_NOW)])
  admin.clock.advance(90_500)
  admin.sync.succeeded()
  admin.clock.advance(10_000)
  const info = await admin.info()
  const at = Math.floor(TEST_NOW.getTime() / 1_000)
  expect(info).toMatchObject({
    uptime: 100,
    last_sync_success: at + 90,
    svids_count: 1,
    cached_x509_svids_count: 1,
    cached_jwt_svids_count: 3,
    cached_svidstore_x509_svids_count: 0,
  })
  const ids = info.svid_chain.map(({ id }) => `${id?.trust_domain}${id?.path}`)
  expect(ids).toEqual(['example.org/spire/agent/x509pop/1', 'example.org', 'example.org'])
  expect(info.svid_chain[0]).toMatchObject({ subject: 'O=SPIRE,C=US' })
})

test('a failure does not hide when the last success was', async () => {
  await using admin = await open()
  admin.sync.succeeded()
  admin.sync.failed(new Error('connection refused'))
  expect((await admin.info()).last_sync_success).toBe(Math.floor(TEST_NOW.getTime() / 1_000))
  const { sync_failure } = await admin.explain({ pid: process.pid })
  expect(sync_failure).toBe('connection refused')
})

test('the level of the running log is shown, changed and put back', async () => {
  await using admin = await open()
  const logger = admin.client(agentLoggerApi())
  const get = () => unary<Logger>((by, done) => logger.GetLogger({}, by, done))
  const set = (new_level: 'DEBUG' | 'UNSPECIFIED' | number) =>
    unary<Logger>((by, done) => logger.SetLogLevel({ new_level: new_level as 'DEBUG' }, by, done))
  expect(await get()).toEqual({ current_level: 'INFO', launch_level: 'INFO' })
  expect(await set('DEBUG')).toEqual({ current_level: 'DEBUG', launch_level: 'INFO' })
  expect(admin.log.level).toBe('debug')
  const refused = { code: status.INVALID_ARGUMENT }
  await expect(set('UNSPECIFIED')).rejects.toMatchObject({
    ...refused,
    details: 'newLevel value cannot be LogLevel_UNSPECIFIED',
  })
  await expect(set(99)).rejects.toMatchObject({ ...refused, details: 'unsupported log level' })
  expect(await unary<Logger>((by, done) => logger.ResetLogLevel({}, by, done))).toEqual(await get())
  expect(admin.log.level).toBe('info')
})

test('a process is explained by what attestors find and by the entries that come closest', async () => {
  await using admin = await open()
  const uid = parseSelector(`unix:uid:${process.geteuid?.()}`)
  const near = cachedEntry('near', { selectors: [uid, parseSelector('unix:path:/x')] })
  const far = cachedEntry('far', {
    selectors: ['a', 'b', 'c'].map((one) => parseSelector(`z:${one}`)),
  })
  admin.cache.apply({
    kind: 'changes',
    entries: [far, near],
    removedEntryIds: [],
    bundle: undefined,
    federated: undefined,
  })
  const child = spawn('sleep', ['100'])
  try {
    await once(child, 'spawn')
    const told = await admin.explain({ pid: child.pid ?? -1 })
    expect(told.agent_id).toEqual({ trust_domain: 'example.org', path: '/spire/agent/x509pop/1' })
    expect(told.entries_count).toBe(2)
    expect(told.findings.map(({ attestor, error }) => [attestor, error])).toEqual([['unix', '']])
    expect(told.candidates.map(({ entry_id, has_svid }) => [entry_id, has_svid])).toEqual([
      ['near', false],
      ['far', false],
    ])
  } finally {
    child.kill()
  }
})

test('of many entries the closest twenty are told, and those that are asked for', async () => {
  await using admin = await open()
  const entries = Array.from({ length: 30 }, (_, at) =>
    cachedEntry(`e${String(at).padStart(2, '0')}`, { selectors: [parseSelector('z:z')] }),
  )
  admin.cache.apply({
    kind: 'changes',
    entries,
    removedEntryIds: [],
    bundle: undefined,
    federated: undefined,
  })
  const plain = await admin.explain({ pid: process.pid })
  expect(plain.candidates).toHaveLength(20)
  const more = await admin.explain({ pid: process.pid, entry_ids: ['e00', 'e29', 'nobody'] })
  expect(more.candidates.map(({ entry_id }) => entry_id).slice(20)).toEqual(['e29'])
})

test.for([0, -1])('refuses to explain process %d', async (pid) => {
  await using admin = await open()
  await expect(admin.explain({ pid })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
})

test('refuses to explain a process that is not there, and logs who asked', async () => {
  await using admin = await open()
  await expect(admin.explain({ pid: 2 ** 22 + 1 })).rejects.toMatchObject({
    code: status.NOT_FOUND,
  })
  expect(admin.lines).toContainEqual(
    expect.objectContaining({
      msg: 'A call of an administrator failed',
      pid: process.pid,
      code: 'NOT_FOUND',
    }),
  )
})
