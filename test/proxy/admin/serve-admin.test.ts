import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Address, parseAddress } from '../../../config/address.ts'
import { serveAdmin } from '../../../proxy/admin/serve-admin.ts'
import { reportOf } from '../../../proxy/telemetry/traffic-report.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { denyAll, mtlsMode } from '../mesh.ts'
import { startListeners } from '../pair.ts'

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')

async function start(address: Address) {
  const identity = new FakeTlsIdentity(contextOf(db, [ca.bundle]))
  const proxy = await startListeners(
    identity,
    'inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1" }',
    `${denyAll()}---\n${mtlsMode('STRICT')}`,
  )
  let drained = 0
  const { context, engine, source, killSwitch, tokenKeys, self, listeners } = proxy
  const admin = await serveAdmin({
    ...{ address, identity, engine, source, killSwitch, self, listeners: listeners.open },
    ...{ log: context.log, workers: () => [] },
    look: async () => reportOf(context, tokenKeys.status()),
    ...{ version: '1.2.3', inbound: [], since: new Date(0) },
    drain: () => {
      drained += 1
    },
  })
  return {
    ...proxy,
    identity,
    drained: () => drained,
    ask: (method: string, path: string, body?: string, host = 'localhost') =>
      ask(admin.address, { method, path, body, host }),
    async [Symbol.asyncDispose]() {
      await admin[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

function onSocket() {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-admin-'))
  const path = join(dir, 'admin.sock')
  return {
    path,
    address: { kind: 'unix', path } as const,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true }),
  }
}

const loopback = parseAddress('127.0.0.1:0', 0) ?? { kind: 'unix', path: '' }

interface Question {
  readonly method: string
  readonly path: string
  readonly body: string | undefined
  readonly host: string
}

function ask(address: Address, { method, path, body, host }: Question) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const where =
    address.kind === 'unix'
      ? { socketPath: address.path }
      : { host: address.host, port: address.port }
  const asking = request(
    { ...where, method, path, headers: { host }, agent: false },
    (response) => {
      void response.toArray().then((chunks) => {
        resolve({ status: response.statusCode ?? 0, text: chunks.join('') })
      })
    },
  )
  asking.on('error', reject)
  asking.end(body)
  return promise
}

test('operators see what is in force, and no key is in any page', async () => {
  await using proxy = await start(loopback)
  const pages = ['/status', '/policy', '/certificates', '/connections', '/plaintext-callers']
  const texts: string[] = []
  for (const page of pages) {
    const { status, text } = await proxy.ask('GET', page)
    expect(status, page).toBe(200)
    texts.push(text)
  }
  const [status, policy, certificates] = texts.map((text) => JSON.parse(text))
  expect(status).toMatchObject({
    ...{ version: '1.2.3', trust_domain: 'example.org', connections: 0 },
    workload: { namespace: 'shop', serviceAccount: 'db', name: 'host' },
    identity: { spiffe_id: 'spiffe://example.org/ns/shop/sa/db' },
    kill_switch: { is_on: false },
  })
  expect(policy).toMatchObject({ mtls: { mode: 'STRICT' }, http: ['shop/deny-all'] })
  expect(certificates.svids).toHaveLength(1)
  const key = toPem('PRIVATE KEY', db.key).split('\n')[1] ?? ''
  for (const text of texts) {
    expect(text).not.toContain('PRIVATE')
    expect(text).not.toContain(key)
  }
})

test('without an identity the status says why, and there are no certificates to show', async () => {
  await using proxy = await start(loopback)
  proxy.identity.set(new IdentityError('NO_IDENTITY_ISSUED', 'no identity issued'))
  const { text } = await proxy.ask('GET', '/status')
  expect(JSON.parse(text).identity).toEqual({ problem: 'no identity issued' })
  expect(await proxy.ask('GET', '/certificates')).toMatchObject({ status: 503 })
})

test('nothing can be changed over loopback', async () => {
  await using proxy = await start(loopback)
  const body = JSON.stringify({ for: '1m', reason: 'why' })
  for (const [method, path] of [
    ['POST', '/kill-switch'],
    ['DELETE', '/kill-switch'],
    ['POST', '/drain'],
  ] as const) {
    const question = method === 'POST' ? body : undefined
    expect(await proxy.ask(method, path, question)).toMatchObject({ status: 403 })
  }
  expect(proxy.killSwitch.state()).toBeUndefined()
  expect(proxy.drained()).toBe(0)
})

test('a web page that reaches loopback by a name of its own is refused', async () => {
  await using proxy = await start(loopback)
  expect((await proxy.ask('GET', '/status', undefined, 'evil.example')).status).toBe(403)
  expect((await proxy.ask('GET', '/status', undefined, '127.0.0.1:1234')).status).toBe(200)
})

test('over the Unix socket the switch is thrown by whom the kernel names', async () => {
  using at = onSocket()
  await using proxy = await start(at.address)
  expect(statSync(at.path).mode & 0o777).toBe(0o660)
  const thrown = await proxy.ask('POST', '/kill-switch', '{"for":"15m","reason":"incident"}')
  expect(JSON.parse(thrown.text)).toMatchObject({ is_on: true, reason: 'incident' })
  expect(proxy.engine.inForce().isKilled).toBe(true)
  expect(proxy.killSwitch.state()?.by).toBe(`uid ${process.getuid?.()}, pid ${process.pid}`)
  await proxy.ask('DELETE', '/kill-switch')
  expect(proxy.engine.inForce().isKilled).toBe(false)
  await proxy.ask('POST', '/drain')
  expect(proxy.drained()).toBe(1)
})

test.each([
  ['', 400],
  ['{', 400],
  ['[]', 400],
  ['{"for":"15m"}', 400],
  ['{"for":15,"reason":"why"}', 400],
  ['{"for":"15","reason":"why"}', 400],
  ['{"for":"48h","reason":"why"}', 400],
  ['{"for":"15m","reason":""}', 400],
  [`{"for":"15m","reason":"${'x'.repeat(20_000)}"}`, 400],
])('a switch asked for with %j is refused', async (body, status) => {
  using at = onSocket()
  await using proxy = await start(at.address)
  expect((await proxy.ask('POST', '/kill-switch', body)).status).toBe(status)
  expect(proxy.killSwitch.state()).toBeUndefined()
})

test('pages that are not there are named as such', async () => {
  using at = onSocket()
  await using proxy = await start(at.address)
  expect((await proxy.ask('GET', '/keys')).status).toBe(404)
  expect((await proxy.ask('POST', '/status')).status).toBe(404)
})
