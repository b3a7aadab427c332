/**
 * A real ztunnel in a mesh of ours: our CA certifies the pods of its node to it and nobody else, it makes tunnels to our proxy
 * and our proxy makes tunnels to it, each by its own rules, and the CA’s authority changes meanwhile. Needs root.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { steeple } from '../processes/cluster.ts'
import { isInstalled, run, until } from '../processes/process.ts'
import { interop, lacking } from './interop.ts'
import {
  CLOSED_PORT,
  call,
  callOn,
  ECHO_PORT,
  HTTP_PORT,
  hold,
  speakAtOnce,
  speakThenHear,
} from './mesh/pod-programs.ts'
import {
  callers,
  id,
  meshStatus,
  type Pod,
  startZtunnelMesh,
  type ZtunnelMesh,
} from './mesh/ztunnel-mesh.ts'

const NEEDS = [
  'ztunnel',
  'etcd',
  'kube-apiserver',
  'kubectl',
  'curl',
  'openssl',
  'python3',
] as const
const canMakeNamespaces =
  ['ip', 'nft', 'nsenter'].every(isInstalled) &&
  spawnSync('unshare', ['--net', 'true']).status === 0
const check = (title: string, body: () => Promise<void>) => {
  if (canMakeNamespaces) return interop(title, NEEDS, body)
  process.stderr.write(`SKIPPED ${title}: needs root, iproute2, nftables and util-linux\n`)
  test.skip(`${title} (needs root, iproute2, nftables and util-linux)`, () => {})
}

/** Either end opens 100 on a connection. */
const TUNNELS = 250

const stack = new AsyncDisposableStack()
let mesh: ZtunnelMesh

beforeAll(async () => {
  if (!canMakeNamespaces || lacking(NEEDS) !== undefined) return
  mesh = await startZtunnelMesh(stack)
}, 180_000)
afterAll(() => stack.disposeAsync())

const between = (from: Pod, to: Pod) => [mesh.pods.netns(from), mesh.pods.ip(to)] as const

const lines = (): Record<string, unknown>[] =>
  readFileSync(mesh.orders.accessLog, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

check('ztunnel gets certificates for the pods of its node, and for no other pod', async () => {
  await until('certificates', async () => (await mesh.ztunnel.certificates()).length >= 3)
  const held = await until('an answer for each', async () => {
    const all = await mesh.ztunnel.certificates()
    return all.every(({ state }) => state !== 'Initializing') && all
  })
  const states = Object.fromEntries(held.map(({ identity, state }) => [identity, state]))
  expect(states).toEqual({
    [id('web')]: 'Available',
    [id('db')]: 'Available',
    [id('stranger')]: expect.stringContaining('request impersonation authentication failure'),
  })
  const { last_refusals: refusals } = (await meshStatus(mesh.server)).tally
  expect(refusals[0]).toMatchObject({ check: 'node' })
  expect(refusals[0].reason).toContain('no pod of shop/stranger is on node node1')
})

check('ztunnel tunnels to our proxy, which admits and denies by its policy', async () => {
  const { status, body } = await call(...between('web', 'orders'), HTTP_PORT)
  expect(status).toBe(200)
  expect(JSON.parse(body).caller).toContain(`URI=${id('web')}`)
  await expect.poll(lines).toContainEqual(
    expect.objectContaining({
      ...{ listener: 'hbone', source_identity: id('web'), mutual_tls: true, status: 200 },
      destination: `${mesh.pods.ip('orders')}:${HTTP_PORT}`,
    }),
  )
  expect((await call(...between('web', 'orders'), CLOSED_PORT)).status).not.toBe(200)
})

check('a pod that ztunnel has no certificate for reaches nobody', async () => {
  const { status, body } = await call(...between('stranger', 'orders'), HTTP_PORT)
  expect([status, body]).toEqual([0, ''])
})

check('a stream that is ended at one end goes on at the other, in both directions', async () => {
  expect(await speakThenHear(...between('web', 'orders'))).toBe(1024 * 1024)
  expect(await speakThenHear(...between('orders', 'db'))).toBe(1024 * 1024)
})

check(
  'more tunnels than one connection carries are all open at once, in both directions',
  async () => {
    expect(await speakAtOnce(...between('web', 'orders'), TUNNELS)).toBe(TUNNELS)
    expect(await speakAtOnce(...between('orders', 'db'), TUNNELS)).toBe(TUNNELS)
  },
)

check('a tunnel of ztunnel’s that policy denies from now on is closed', async () => {
  await using held = await hold(...between('web', 'orders'))
  mesh.orders.writePolicy('callers.yaml', callers(HTTP_PORT))
  await held.line(/^closed$/)
  mesh.orders.writePolicy('callers.yaml', callers(HTTP_PORT, ECHO_PORT))
  await until('the old policy', async () => (await speakThenHear(...between('web', 'orders'))) > 0)
})

check('our proxy tunnels to ztunnel, which admits and denies by its own policy', async () => {
  const { status, body } = await call(...between('orders', 'db'), HTTP_PORT)
  expect(status).toBe(200)
  // Ztunnel reads no requests: its workload is not told the caller.
  expect(JSON.parse(body).caller).toBe('')
  const principal = `source_principal="${id('orders')}"`
  await until('ztunnel to count it', async () => (await mesh.ztunnel.metrics()).includes(principal))
  expect((await call(...between('orders', 'db'), CLOSED_PORT)).status).toBe(0)
  await expect
    .poll(() => lines().map(({ reason }) => reason))
    .toContainEqual(expect.stringContaining('answered 401: its policy denies us'))
  expect(mesh.ztunnel.process().output()).toMatch(/src\.identity="[^"]*\/sa\/orders".*policy/)
})

check('a ztunnel of one pod alone is certified by the token of that pod', async () => {
  expect((await call(...between('orders', 'alone'), HTTP_PORT)).status).toBe(200)
  const { state } = await mesh.alone.certificateOf(id('alone'))
  expect(state).toBe('Available')
})

check('a ztunnel that shows another identity than was expected is told nothing', async () => {
  expect((await call(...between('orders', 'web'), HTTP_PORT)).status).toBe(0)
  await expect
    .poll(() => lines().map(({ reason }) => reason))
    .toContainEqual(expect.stringContaining(id('web')))
})

/** Waits for our agent, and before it revokes for all that was signed, ztunnel’s certificates included. */
async function rotate(...more: readonly string[]) {
  const words = ['authority', 'rotate', 'x509', ...more]
  const { code, stdout, stderr } = await run(steeple, [...words, '-socketPath', mesh.server.socket])
  if (code !== 0) throw new Error(`${stdout}${stderr}`)
  await mesh.server.bundleFile() // ztunnel reads its file of roots again when it changes
  return stdout
}

const knowsRoots = (roots: number) =>
  until(`${roots} roots at ztunnel`, async () => {
    const held = await Promise.all(['web', 'db'].map(certificateOf))
    return held.every((one) => one.state === 'Available' && one.roots === roots)
  })

const certificateOf = (account: string) => mesh.ztunnel.certificateOf(id(account))

check('the authority is rotated under load, and no call fails on either way', async () => {
  const stops = [
    await callOn(...between('web', 'orders')),
    await callOn(...between('orders', 'db')),
  ]
  await rotate('-yes', '-until', 'prepare')
  await knowsRoots(2)
  await rotate('-yes', '-until', 'activate')
  expect(await rotate('-status')).toMatch(new RegExp(`${id('web')}: \\d+ minted X.509-SVIDs`))
  for (const account of ['web', 'db']) {
    const { serial } = await certificateOf(account)
    await until(`a new certificate of ${account}`, async () => {
      const { serial: now } = await certificateOf(account)
      return now !== serial
    })
  }
  // What is tainted is renewed at once; our proxy shows a certificate of the new authority after that.
  await rotate('-yes', '-force', '-until', 'taint')
  // A pair that has never spoken makes a new connection, with what is new.
  expect((await call(...between('db', 'orders'), HTTP_PORT)).status).toBe(200)
  for (const stop of stops) {
    const { passed, failed } = await stop()
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(20)
  }
})

check(
  'a revoked authority cuts the connections that were made under it, and new ones are made',
  async () => {
    const stops = [
      await callOn(...between('web', 'orders')),
      await callOn(...between('orders', 'db')),
    ]
    await rotate('-yes', '-until', 'revoke')
    await knowsRoots(1)
    for (const [from, to] of [
      ['web', 'orders'],
      ['orders', 'db'],
    ] as const) {
      expect((await call(...between(from, to), HTTP_PORT)).status).toBe(200)
    }
    for (const stop of stops) {
      const { passed, failed } = await stop()
      // At most the one that was under way.
      expect(failed.length).toBeLessThanOrEqual(1)
      expect(passed).toBeGreaterThan(20)
    }
  },
)
