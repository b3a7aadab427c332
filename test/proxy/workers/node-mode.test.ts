/** Several workloads of a node in workers: each worker has the identity of each, and keeps them apart. */
import { once } from 'node:events'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { IdentityError } from '../../../spiffe/error.ts'
import { secureContextOptions } from '../../../workload/tls/tls-identity.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startBackend } from '../running-proxy.ts'
import { startWorkers } from './running-workers.ts'

const ca = await currentCa('example.org')
const proxyId = await identityOf(ca, '/ns/node/sa/proxy')
const web = await identityOf(ca, '/ns/shop/sa/web')
const db = await identityOf(ca, '/ns/shop/sa/db')
const sourceOf = (identity: typeof db) => new FakeTlsIdentity(contextOf(identity, [ca.bundle]))

const denyDb = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-db, namespace: shop }
spec: { selector: { matchLabels: { app: db } }, action: DENY, rules: [{}] }
`

/** So many that no worker is left out, by chance less than one in thousands. */
const TRIES = 16

async function start(policies = '') {
  const backend = await startBackend((socket) => socket.pipe(socket))
  const others = { 'k8s:sa:web': sourceOf(web), 'k8s:sa:db': sourceOf(db) }
  const inbound = (name: string) => `inbound "${name}" { listen = "127.0.0.1:0"  protocol = "tcp"
    upstream = "127.0.0.1:${backend.port}"  selectors = ["k8s:sa:${name}"]  labels { app = "${name}" } }`
  const proxy = await startWorkers({
    ...{ identity: sourceOf(proxyId), others, policies },
    settings: `workers = 2
      identity "delegated" { admin_socket = "/unused"  selectors = ["k8s:sa:proxy"] }
      ${inbound('web')}
      ${inbound('db')}`,
  })
  return {
    ...{ proxy, others },
    /** Who answers, and whether bytes come back; an empty set when nobody does. */
    seen: (name: string) => see(proxy.port(name)),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}

async function see(port: number): Promise<ReadonlySet<string>> {
  const tries = Array.from({ length: TRIES }, async () => {
    const socket = connect({
      ...{ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['istio'] },
      ...secureContextOptions(contextOf(web, [ca.bundle])),
    })
    socket.on('error', () => {})
    const ended = new Promise<string>((resolve) => {
      socket.once('close', () => resolve('nobody'))
    })
    const talked = async () => {
      await once(socket, 'secureConnect')
      const { subjectaltname = '' } = socket.getPeerCertificate()
      socket.write('hello')
      await once(socket, 'data')
      return subjectaltname
    }
    const found = await Promise.race([ended, talked().catch(() => 'nobody')])
    socket.destroy()
    return found
  })
  return new Set(await Promise.all(tries))
}

const named = (identity: typeof db) => new Set([`URI:${identity.id}`])
const NOBODY = new Set(['nobody'])

test('every worker answers as the workload that the listener is for', async () => {
  await using node = await start()
  expect(await node.seen('web')).toEqual(named(web))
  expect(await node.seen('db')).toEqual(named(db))
})

test('a policy for one workload binds it in every worker, and no other', async () => {
  await using node = await start(denyDb)
  expect(await node.seen('db')).toEqual(NOBODY)
  expect(await node.seen('web')).toEqual(named(web))
})

test('a workload whose identity is withdrawn is served by no worker, and the others are', async () => {
  await using node = await start()
  node.others['k8s:sa:db'].set(new IdentityError('NO_IDENTITY_ISSUED', 'the entry is gone'))
  await expect.poll(() => node.seen('db')).toEqual(NOBODY)
  expect(await node.seen('web')).toEqual(named(web))
  node.others['k8s:sa:db'].set(contextOf(db, [ca.bundle]))
  await expect.poll(() => node.seen('db')).toEqual(named(db))
})
