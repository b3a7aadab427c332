/** `steeple mtls kill-switch` at proxies that say what they are told, and at a real one. */
import { expect, test } from 'vitest'
import { parseAddress } from '../../../config/address.ts'
import { serveAdmin } from '../../../proxy/admin/serve-admin.ts'
import { reportOf } from '../../../proxy/telemetry/traffic-report.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { denyAll, mtlsMode } from '../../proxy/mesh.ts'
import { startListeners } from '../../proxy/pair.ts'
import { policyDir } from '../policy-dir.ts'
import { run } from '../run.ts'
import { json, openScriptedProxy } from './scripted-proxy.ts'

const ON = {
  ...{ is_on: true, since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:15:00.000Z' },
  ...{ reason: 'incident 7', by: 'uid 0, pid 1' },
}

const on = (address: string, ...more: readonly string[]) =>
  run([
    'mtls',
    'kill-switch',
    'on',
    '-for',
    '15m',
    '-reason',
    'incident 7',
    '-proxy',
    address,
    ...more,
  ])

test('on tells proxies how long and why, and says until when', async () => {
  await using proxy = await openScriptedProxy(json(ON))
  expect(await on(proxy.address)).toEqual({
    code: 0,
    err: '',
    out: `${proxy.address}: ON until ${ON.until}, since ${ON.since} by uid 0, pid 1: "incident 7"\n`,
  })
  const [asked] = proxy.asked
  expect(asked).toMatchObject({ method: 'POST', page: '/kill-switch' })
  expect(JSON.parse(asked?.body ?? '')).toEqual({ for: '15m0s', reason: 'incident 7' })
})

test('off and status ask every proxy', async () => {
  await using one = await openScriptedProxy(json({ is_on: false }))
  await using other = await openScriptedProxy(json(ON))
  const both = `-proxy ${one.address} -proxy ${other.address}`
  const status = await run(`mtls kill-switch status ${both}`)
  expect(status.out).toContain(`${one.address}: off, policies are in force\n`)
  expect(status.out).toContain(`${other.address}: ON until`)
  await run(`mtls kill-switch off ${both} -output json`)
  for (const { asked } of [one, other]) {
    expect(asked.map(({ method, page }) => `${method} ${page}`)).toEqual([
      'GET /kill-switch',
      'DELETE /kill-switch',
    ])
  }
})

test('a proxy that does not do it is told beside those that do, and the code is 1', async () => {
  await using proxy = await openScriptedProxy(json(ON))
  const ran = await on(proxy.address, '-proxy', 'unix:/nonexistent.sock')
  expect(ran.code).toBe(1)
  expect(ran.out).toContain(`${proxy.address}: ON`)
  expect(ran.err).toContain('unix:/nonexistent.sock: ')
  expect(ran.err).toContain(
    '1 of 2 proxies did not do what was asked; what is told of the others holds',
  )
  const told = await on(proxy.address, '-proxy', 'unix:/nonexistent.sock', '-output', 'json')
  expect(JSON.parse(told.out)).toMatchObject({
    proxies: [{ is_on: true, reason: 'incident 7' }, { failed: expect.stringContaining('ENOENT') }],
  })
})

test.for([
  ['without a time', 'on -reason r -proxy unix:/a', '(-for) must be set'],
  ['for less than nothing', 'on -for -5m -reason r -proxy unix:/a', '(-for) must be set'],
  ['without a reason', 'on -for 5m -proxy unix:/a', 'the reason (-reason) must be set'],
  ['without a proxy', 'on -for 5m -reason r', '(-proxy) must be set'],
  ['for a time that is none', 'on -for soon -reason r -proxy unix:/a', 'for flag -for'],
  ['off without a proxy', 'off', '(-proxy) must be set'],
  ['as toggle', 'toggle', 'has no command "toggle"'],
] as const)('%s it is refused', async ([, line, message]) => {
  const ran = await run(`mtls kill-switch ${line}`)
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toContain(message)
})

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')

async function startProxy(listen: string) {
  const identity = new FakeTlsIdentity(contextOf(db, [ca.bundle]))
  const proxy = await startListeners(
    identity,
    'inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1" }',
    `${denyAll()}---\n${mtlsMode('STRICT')}`,
  )
  const { context, engine, source, killSwitch, tokenKeys, self, listeners } = proxy
  const address = parseAddress(listen, 0)
  if (address === undefined) throw new Error(`${listen} is no address`)
  const admin = await serveAdmin({
    ...{ address, identity, engine, source, killSwitch, self, listeners: listeners.open },
    ...{ log: context.log, workers: () => [] },
    look: async () => reportOf(context, tokenKeys.status()),
    ...{ version: '1.2.3', inbound: [], since: new Date(0), drain: () => {} },
  })
  return {
    engine,
    admin,
    async [Symbol.asyncDispose]() {
      await admin[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

test('a real proxy takes the switch on its Unix socket, and its policies with it', async () => {
  using dir = policyDir()
  const address = `unix:${dir.path}/admin.sock`
  await using proxy = await startProxy(address)
  expect((await run(`mtls kill-switch status -proxy ${address}`)).out).toContain(
    'off, policies are in force',
  )
  expect(await on(address)).toMatchObject({ code: 0, err: '' })
  expect(proxy.engine.inForce().isKilled).toBe(true)
  expect((await run(`mtls kill-switch off -proxy ${address}`)).out).toContain(
    'off, policies are in force',
  )
  expect(proxy.engine.inForce().isKilled).toBe(false)
  const tooLong = await run([
    'mtls',
    'kill-switch',
    'on',
    '-for',
    '25h',
    '-reason',
    'r',
    '-proxy',
    address,
  ])
  expect(tooLong.err).toContain('refuses: the duration is out of bounds, expected from 1s to 24h')
  expect(await run(`mtls report -proxy ${address}`)).toMatchObject({ code: 0, err: '' })
})

test('a real proxy refuses the switch over loopback, and its status may be read there', async () => {
  await using proxy = await startProxy('127.0.0.1:0')
  const { address } = proxy.admin
  if (address.kind !== 'tcp') throw new Error('it listens elsewhere')
  const where = `127.0.0.1:${address.port}`
  const ran = await on(where)
  expect(ran.code).toBe(1)
  expect(ran.err).toContain('nothing can be changed over loopback')
  expect(proxy.engine.inForce().isKilled).toBe(false)
  expect((await run(`mtls kill-switch status -proxy ${where}`)).code).toBe(0)
})
