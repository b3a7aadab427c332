/** A small HTTPS server with a kubeconfig that trusts it: answers as a test says, whole or line by line. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import { testCa } from '../fakes/ca.ts'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answer = (asked: Asked, response: ServerResponse) => void

export interface ApiServer extends AsyncDisposable {
  readonly dir: string
  readonly url: string
  readonly kubeconfig: string
  readonly asked: readonly Asked[]
  answerWith(answer: Answer): void
  /** Ends every connection that is open. */
  breakOff(): void
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** Another kubeconfig, e.g. with other credentials. */
export function kubeconfigText(
  url: string,
  caPem: string,
  user: object = { token: 's3cret' },
): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
    clusters: [
      {
        name: 'test',
        cluster: {
          server: url,
          'certificate-authority-data': Buffer.from(caPem).toString('base64'),
        },
      },
    ],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'here', context: { cluster: 'test', user: 'me' } },
      { name: 'nowhere', context: { cluster: 'none', user: 'me' } },
    ],
  })
}

export async function startApiServer(): Promise<ApiServer & { readonly caPem: string }> {
  const valid = {
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date(2 ** 41 + DAY_MS),
  }
  const ca = await testCa(valid)
  const leaf = await ca.leaf('/api', { ...valid, dnsNames: ['localhost'] })
  const caPem = ca.bundle.x509Authorities.map(({ der }) => toPem('CERTIFICATE', der)).join('')
  const asked: Asked[] = []
  let answer: Answer = (_, response) => void response.end('{}')
  const server = createServer(
    {
      cert: toPemChain(leaf.chain),
      key: String(leaf.key.export({ type: 'pkcs8', format: 'pem' })),
    },
    (request, response) =>
      void read(request).then((one) => {
        asked.push(one)
        answer(one, response)
      }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const dir = mkdtempSync(join(tmpdir(), 'steeple-api-server-'))
  const url = `https://localhost:${port}`
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigText(url, caPem))
  return {
    ...{ dir, url, kubeconfig, asked, caPem },
    answerWith(next) {
      answer = next
    },
    breakOff: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const url = new URL(request.url ?? '/', 'https://localhost')
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

/** A list of objects at a version. */
export const list = (version: string, items: readonly object[], more = '') =>
  JSON.stringify({ metadata: { resourceVersion: version, continue: more }, items })

export const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`

export const object = (name: string, version: number, uid = `uid-${name}`, value = '') => ({
  metadata: { name, namespace: 'ns', uid, resourceVersion: String(version), labels: { value } },
})
