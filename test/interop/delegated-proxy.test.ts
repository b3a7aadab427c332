/**
 * One proxy for several workloads of a node, as a delegate of either agent: each listener has the identity of the workload whose
 * selectors it names, policies are those of that workload, and a program on the other side sees who it is.
 */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { type Kind, startAgent, startServer } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'
import { giveIdentity, startProxy } from '../processes/proxy.ts'
import { interop } from './interop.ts'

const policies = {
  'shop.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: db, namespace: shop }
spec:
  selector: { matchLabels: { app: db } }
  rules: [{ from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nobody, namespace: shop }
spec:
  selector: { matchLabels: { app: vault } }
`,
}

async function answerOf(port: number): Promise<string> {
  const asking = request({ host: '127.0.0.1', port, path: '/', agent: false })
  asking.end()
  const [response] = await once(asking, 'response')
  return `${response.statusCode} ${await text(response)}`
}

const KINDS = ['steeple', 'spire'] as const satisfies readonly Kind[]

for (const kind of KINDS) {
  interop(
    `the listeners of one proxy are several workloads, under an agent of the kind ${kind}`,
    ['spire-server', 'spire-agent'],
    async () => {
      await using server = await startServer('spire')
      await using agent = await startAgent(kind, server, {
        hasAdminSocket: true,
        settings: 'authorized_delegates = ["spiffe://example.org/proxy"]',
      })
      await giveIdentity(server, agent, '/proxy')
      const ids = ['web', 'db', 'vault', 'other'].map((name) => [name, `/ns/shop/sa/${name}`])
      for (const [name = '', path = ''] of ids) {
        const flags = ['-parentID', agent.id, '-spiffeID', `spiffe://example.org${path}`]
        await server.cli('spire', 'entry', 'create', ...flags, '-selector', `k8s:sa:${name}`)
      }
      const workload = createServer((asked, response) =>
        response.end(String(asked.headers['x-forwarded-client-cert'])),
      )
      workload.listen(0, '127.0.0.1')
      await once(workload, 'listening')
      const { port } = workload.address() as AddressInfo // cast: it listens on TCP
      const identity = `identity "delegated" { admin_socket = "${agent.adminSocket}"  selectors = ["k8s:sa:other"] }`
      const at = `listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}"`
      const block = (name: string) =>
        `inbound "${name}" { ${at}  selectors = ["k8s:sa:${name}"]  labels { app = "${name}" } }`
      await using inbound = await startProxy(agent, {
        settings: [identity, block('db'), block('vault')].join('\n'),
        policies,
      })
      const [db, vault] = [await inbound.address('db'), await inbound.address('vault')]
      const to = (name: string, host: string, toPort: number, more = '') =>
        `outbound "${name}" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${toPort}"
          authorize = ["spiffe://example.org/ns/shop/sa/${host}"]  ${more} }`
      await using outbound = await startProxy(agent, {
        settings: [
          identity,
          to('web-db', 'db', db.port, 'selectors = ["k8s:sa:web"]'),
          to('web-vault', 'vault', vault.port, 'selectors = ["k8s:sa:web"]'),
          to('other-db', 'db', db.port),
          to('web-impostor', 'vault', db.port, 'selectors = ["k8s:sa:web"]'),
        ].join('\n'),
      })
      const portOf = async (name: string) => (await outbound.address(name)).port
      const allowed = await answerOf(await portOf('web-db'))
      expect(allowed).toMatch(/^200 By=spiffe:\/\/example\.org\/ns\/shop\/sa\/db;/)
      expect(allowed).toMatch(/URI=spiffe:\/\/example\.org\/ns\/shop\/sa\/web$/)
      expect(await answerOf(await portOf('web-vault'))).toBe('403 RBAC: access denied')
      expect(await answerOf(await portOf('other-db'))).toBe('403 RBAC: access denied')
      expect(await answerOf(await portOf('web-impostor'))).toMatch(/^503 /)
      // The entry of one workload is gone; the other goes on.
      const shown = await server.cli('spire', 'entry', 'show', '-selector', 'k8s:sa:web')
      const id = /Entry ID +: (\S+)/.exec(shown.stdout)?.[1] ?? ''
      await server.cli('spire', 'entry', 'delete', '-entryID', id)
      const webDb = await portOf('web-db')
      await until('the web workload to have no identity', async () =>
        (await answerOf(webDb)).startsWith('503'),
      )
      expect(await answerOf(await portOf('other-db'))).toBe('403 RBAC: access denied')
      workload.close()
    },
  )
}
