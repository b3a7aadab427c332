/** An admin endpoint on a Unix socket that answers what it is told, and remembers what it was asked. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Asked {
  readonly method: string | undefined
  readonly page: string | undefined
  readonly body: string
}

export interface ScriptedProxy extends AsyncDisposable {
  /** As `-proxy` takes it. */
  readonly address: string
  readonly asked: readonly Asked[]
}

export type Answering = (response: ServerResponse) => void

export const json =
  (value: unknown, status = 200): Answering =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof value === 'string' ? value : JSON.stringify(value))
  }

export async function openScriptedProxy(answering: Answering): Promise<ScriptedProxy> {
  const dir = mkdtempSync(join(tmpdir(), 'scripted-proxy-'))
  const path = join(dir, 'admin.sock')
  const asked: Asked[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    asked.push({ method: request.method, page: request.url, body: await text(request) })
    answering(response)
  }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(path)
  await once(server, 'listening')
  return {
    address: `unix:${path}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      rmSync(dir, { recursive: true })
    },
  }
}
