/** What is told of policies in dry-run, at live listeners. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { get } from '../get.ts'
import { startListeners } from '../pair.ts'

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')

const policy = (name: string, action: string, isDry: boolean, path: string) => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop, annotations: { istio.io/dry-run: "${isDry}" } }
spec: { action: ${action}, rules: [{ to: [{ operation: { paths: ["${path}"], ports: ["80"] } }] }] }
`

async function startDb(policies: string) {
  const workload = createServer((_asked, response) => void response.end('hello'))
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  const to = `upstream = "127.0.0.1:${port}"  workload_port = 80  mtls = "policy"`
  const server = await startListeners(
    new FakeTlsIdentity(contextOf(db, [ca.bundle])),
    `inbound "web" { listen = "127.0.0.1:0"  ${to} }
     inbound "raw" { listen = "127.0.0.1:0"  ${to}  protocol = "tcp" }`,
    policies,
  )
  return {
    server,
    /** The series of the counter, without its name. */
    counted: () =>
      [
        ...server.context.metrics.text().matchAll(/^steeple_authorization_dry_run_total(.*)$/gm),
      ].map(([, series]) => series),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      workload.close()
      workload.closeAllConnections()
    },
  }
}

test('a DENY in dry-run refuses nobody, and the access log and a counter say whom it would have refused', async () => {
  await using proxy = await startDb(policy('trial', 'DENY', true, '/secret'))
  expect(await get(proxy.server.port('web'), '/secret')).toBe(200)
  expect(await get(proxy.server.port('web'), '/public')).toBe(200)
  await expect.poll(() => proxy.server.access).toHaveLength(2)
  expect(proxy.server.access[0]).toMatchObject({
    ...{ status: 200, verdict: 'allow', dry_run_deny: 'denied' },
    dry_run_deny_rule: 'ns[shop]-policy[trial]-rule[0]',
  })
  expect(proxy.server.access[0]?.dry_run_allow).toBeUndefined()
  expect(proxy.server.access[1]).toMatchObject({ dry_run_deny: 'allowed' })
  expect(proxy.server.access[1]?.dry_run_deny_rule).toBeUndefined()
  expect(proxy.counted()).toEqual([
    '{action="DENY",result="denied",policy="shop/trial"} 1',
    '{action="DENY",result="allowed",policy="none"} 1',
  ])
})

test('an ALLOW in dry-run shuts nobody out, and it is said whom it would have admitted', async () => {
  await using proxy = await startDb(policy('trial', 'ALLOW', true, '/public'))
  expect(await get(proxy.server.port('web'), '/public')).toBe(200)
  expect(await get(proxy.server.port('web'), '/other')).toBe(200)
  await expect
    .poll(() => proxy.server.access)
    .toMatchObject([
      { dry_run_allow: 'allowed', dry_run_allow_rule: 'ns[shop]-policy[trial]-rule[0]' },
      { dry_run_allow: 'denied', why: 'no-allow-policy' },
    ])
})

test('connections are told of too, and a request that is refused anyway', async () => {
  const rules = 'rules: [{ to: [{ operation: { ports: ["80"] } }] }]'
  const dry = policy('trial', 'DENY', true, '/x').replace(/rules:.*\]/, rules)
  await using proxy = await startDb(dry + policy('real', 'DENY', false, '/secret'))
  expect(await get(proxy.server.port('web'), '/secret')).toBe(403)
  await expect
    .poll(() => proxy.server.access)
    .toMatchObject([{ status: 403, policy: 'shop/real', dry_run_deny: 'denied' }])
  proxy.server.writePolicies(dry)
  const socket = connect(proxy.server.port('raw'), '127.0.0.1')
  socket.end('GET / HTTP/1.0\r\n\r\n')
  expect(await text(socket)).toContain('hello')
  await expect
    .poll(() => proxy.server.access[1])
    .toMatchObject({
      ...{ kind: 'connection', verdict: 'allow', dry_run_deny: 'denied' },
    })
  expect(proxy.counted()).toEqual(['{action="DENY",result="denied",policy="shop/trial"} 2'])
})

test('where no policy is in dry-run nothing is told of it', async () => {
  await using proxy = await startDb(policy('real', 'DENY', false, '/secret'))
  expect(await get(proxy.server.port('web'), '/public')).toBe(200)
  await expect.poll(() => proxy.server.access).toHaveLength(1)
  const told = Object.entries(proxy.server.access[0] ?? {})
  const said = told.filter(([name, value]) => name.startsWith('dry_run') && value !== undefined)
  expect([said, proxy.counted()]).toEqual([[], []])
})
