/** The workloads of one proxy: what they share, and what they do not. */
import { expect, test } from 'vitest'
import { readProxyConfig } from '../../proxy/config.ts'
import type { LiveConnection } from '../../proxy/enforce/connections.ts'
import { createEngine } from '../../proxy/enforce/engine.ts'
import { createKillSwitch } from '../../proxy/enforce/kill-switch.ts'
import { openProviders } from '../../proxy/ext-authz/providers.ts'
import { followChanges } from '../../proxy/follow-changes.ts'
import { openNodeWorkloads } from '../../proxy/node-workloads.ts'
import { noPolicies } from '../../proxy/policy-source/no-policies.ts'
import { readSelf } from '../../proxy/self.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../fakes/svids.ts'
import { openTestContext } from './running-proxy.ts'

const ca = await currentCa('example.org')
const identities = {
  own: await identityOf(ca, '/ns/node/sa/proxy'),
  web: await identityOf(ca, '/ns/shop/sa/web'),
  db: await identityOf(ca, '/ns/shop/sa/db'),
}
const sourceOf = (name: keyof typeof identities) =>
  Object.assign(new FakeTlsIdentity(contextOf(identities[name], [ca.bundle])), {
    async [Symbol.asyncDispose]() {},
  })

const block = (name: string, more: string) =>
  `inbound "${name}" { listen = "127.0.0.1:0" upstream = "127.0.0.1:1" ${more} }`

async function open(blocks: readonly string[], settings = '') {
  const own = sourceOf('own')
  const running = openTestContext(own)
  const { context } = running
  const identity = 'identity "delegated" { admin_socket = "/a" selectors = ["k8s:sa:proxy"] }'
  const config = readProxyConfig({
    ...{ path: 'proxy.conf', text: `proxy {\n${[settings, identity, ...blocks].join('\n')}\n}` },
    ...{ flags: {}, env: {}, readText: () => '' },
  })
  const self = readSelf(config, identities.own.id, 'host')
  const given = { web: sourceOf('web'), db: sourceOf('db') }
  const asked: string[] = []
  const disposed: string[] = []
  const source = noPolicies(self.mesh, systemClock)
  const killSwitch = createKillSwitch(systemClock, context.log)
  const providers = openProviders({
    ...{ providers: [], clock: systemClock, log: context.log, logLimit: context.logLimit },
    socketMark: undefined,
  })
  const engineOf = ({ workload, party }: typeof self) => {
    const id = () => party.id ?? identities.own.id
    const parts = { source, killSwitch, workload, providers, log: context.log, self: id }
    const engine = createEngine(parts)
    return {
      ...engine,
      [Symbol.dispose]() {
        disposed.push(workload.serviceAccount)
        engine[Symbol.dispose]()
      },
    }
  }
  const verify = async () => {
    throw new Error('no token is looked at')
  }
  const opening = () =>
    openNodeWorkloads({
      config,
      own: { context, engine: engineOf(self), self, verify },
      createEngine: engineOf,
      identities: {
        async of(selectors: readonly Selector[]) {
          asked.push(selectors.join())
          return selectors.includes('k8s:sa:web' as Selector) ? given.web : given.db // cast: a test's own
        },
      },
    })
  return { opening, config, context, given, own, asked, disposed, running }
}

const connection = (closed: string[], name: string): LiveConnection => ({
  ...{ direction: 'inbound', listener: name, source: '', destination: '', protocol: 'tcp' },
  openedAt: systemClock.now(),
  peer: {
    ...{ id: identities.web.id, chain: identities.web.chain, verifiedAt: systemClock.now() },
    authorityExpiresAt: identities.web.expiresAt,
  },
  rejudge: () => undefined,
  drain() {},
  close: () => void closed.push(name),
  report: () => undefined,
})

test('listeners without selectors are all for the proxy’s own workload', async () => {
  const { opening, context, asked } = await open([block('a', '')])
  using workloads = await opening()
  expect(workloads.all).toHaveLength(1)
  expect(workloads.of(undefined).context).toBe(context)
  expect(asked).toEqual([])
})

test('listeners of one workload share its identity; labels make it another one to policies', async () => {
  const { opening, config, asked } = await open([
    block('a', 'selectors = ["k8s:sa:web", "k8s:ns:shop"]'),
    block('b', 'selectors = ["k8s:ns:shop", "k8s:sa:web"]'),
    block('c', 'selectors = ["k8s:sa:db"] labels { app = "db" }'),
  ])
  using workloads = await opening()
  expect(asked).toEqual(['k8s:sa:web,k8s:ns:shop', 'k8s:sa:db'])
  const [a, b, c] = config.inbound.map(({ ownWorkload }) => workloads.of(ownWorkload))
  expect(a).toBe(b)
  expect(a?.self.workload).toEqual({
    ...{ namespace: 'shop', serviceAccount: 'web', name: 'a', labels: {} },
  })
  expect(c?.self.workload).toMatchObject({ serviceAccount: 'db', labels: { app: 'db' } })
  expect(workloads.of(undefined).self.workload).toMatchObject({ serviceAccount: 'proxy' })
})

test('an identity that is withdrawn closes the connections of its own workload alone', async () => {
  const node = await open([
    block('web', 'selectors = ["k8s:sa:web"]'),
    block('db', 'selectors = ["k8s:sa:db"]'),
  ])
  using workloads = await node.opening()
  using _changes = followChanges(workloads.all, { follow() {} })
  const closed: string[] = []
  const [own, web, db] = workloads.all
  for (const [name, one] of Object.entries({ own, web, db })) {
    one?.context.connections.add(connection(closed, name))
  }
  expect(node.context.connections.size).toBe(3)
  node.given.web.set(new IdentityError('NO_IDENTITY_ISSUED', 'gone'))
  expect(closed).toEqual(['web'])
  node.own.set(new IdentityError('NO_IDENTITY_ISSUED', 'gone'))
  expect(closed).toEqual(['web', 'own'])
  node.context.connections.closeAll('the proxy stops')
  expect(closed).toEqual(['web', 'own', 'own', 'web', 'db'])
})

test('a connection that leaves has left its workload and all of them', async () => {
  const node = await open([block('web', 'selectors = ["k8s:sa:web"]')])
  using workloads = await node.opening()
  const web = workloads.all[1]?.context.connections
  const leave = web?.add(connection([], 'web'))
  expect([web?.size, node.context.connections.size]).toEqual([1, 1])
  leave?.()
  expect([web?.size, node.context.connections.size]).toEqual([0, 0])
})

test('what was opened for others is ended when one cannot be had', async () => {
  const blocks = [
    block('web', 'selectors = ["k8s:sa:web"]'),
    block('db', 'selectors = ["k8s:sa:db"]'),
  ]
  const node = await open(blocks, 'trust_domain = "example.org"')
  const stranger = await currentCa('other.org')
  node.given.db.set(contextOf(await identityOf(stranger, '/db'), [stranger.bundle]))
  await expect(node.opening()).rejects.toThrow(
    'is of the trust domain other.org, expected example.org',
  )
  expect(node.disposed).toEqual(['web'])
})
