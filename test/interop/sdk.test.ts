/** Mutual TLS between a Node program on our SDK and a Go program on go-spiffe, under our agent and under SPIRE's. */
import { createServer } from 'node:http'
import { get } from 'node:https'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import {
  authorizeId,
  createMtlsServer,
  httpsAgent,
  openX509Source,
  peerIdOf,
} from '../../workload/workload.ts'
import { type Kind, startAgent, startServer } from '../processes/cluster.ts'
import { run, start } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

const ID = 'spiffe://example.org/both'
const STRANGER = 'spiffe://example.org/stranger'

const fetchText = (port: number, agent: ReturnType<typeof httpsAgent>): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, (response) => text(response).then(resolve, reject)).on(
      'error',
      reject,
    )
  })

for (const kind of ['steeple', 'spire'] satisfies Kind[]) {
  interop(
    `go-spiffe and our SDK speak mutual TLS both ways under a ${kind} agent`,
    ['go-client', 'spire-server', 'spire-agent'],
    async () => {
      await using server = await startServer(kind)
      await using agent = await startAgent(kind, server)
      await server.cli(
        'steeple',
        ...[
          'entry',
          'create',
          '-parentID',
          agent.id,
          '-spiffeID',
          ID,
          '-selector',
          `unix:uid:${process.getuid?.()}`,
        ],
      )
      const env = { SPIFFE_ENDPOINT_SOCKET: `unix://${agent.socket}` }
      await using source = await openX509Source({ socket: `unix://${agent.socket}` })

      // Go calls Node
      const http = createServer((request, response) => response.end(`hello ${peerIdOf(request)}`))
      await using ours = createMtlsServer(source, authorizeId(ID), http)
      const { port } = await ours.listen({ host: '127.0.0.1', port: 0 })
      const called = await run(peer('go-client'), ['call', `https://127.0.0.1:${port}/`, ID], {
        env,
      })
      expect(JSON.parse(called.stdout || '{}'), called.stderr).toEqual({
        status: 200,
        body: `hello ${ID}`,
      })
      const wrong = await run(peer('go-client'), ['call', `https://127.0.0.1:${port}/`, STRANGER], {
        env,
      })
      expect(wrong.code).toBe(1)

      // Node calls Go
      await using theirs = start(peer('go-client'), ['serve', '127.0.0.1:0', ID], { env })
      const [, address = ''] = await theirs.line(/"listening":"127\.0\.0\.1:(\d+)"/)
      const toGo = httpsAgent(source, authorizeId(ID))
      expect(await fetchText(Number(address), toGo)).toBe(`hello ${ID}`)
      toGo.destroy()
      const toStranger = httpsAgent(source, authorizeId(STRANGER))
      await expect(fetchText(Number(address), toStranger)).rejects.toThrow(/not authorized/)
      toStranger.destroy()
    },
  )
}
