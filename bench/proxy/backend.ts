/** The server behind the proxies: HAProxy answering from memory, which costs less than any proxy in front of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/processes/free-port.ts'
import { start } from '../../test/processes/process.ts'
import { listening, pinLoad } from './pair.ts'

export interface Backend extends AsyncDisposable {
  readonly port: number
}

/** @param bytes of each answer */
export async function startBackend(dir: string, bytes: number): Promise<Backend> {
  const port = await freePort()
  const body = join(dir, `body-${bytes}`)
  const config = join(dir, `backend-${bytes}.cfg`)
  writeFileSync(body, 'x'.repeat(bytes))
  writeFileSync(
    config,
    `global
  nbthread 1
  maxconn 4000
  tune.bufsize ${Math.max(16_384, bytes + 4_096)}
defaults
  mode http
  timeout client 10m
  timeout http-keep-alive 10m
frontend answer
  bind 127.0.0.1:${port}
  http-request return status 200 content-type application/octet-stream file ${body}
`,
  )
  const running = start('haproxy', ['-db', '-f', config])
  await listening('backend', port, [running])
  pinLoad(running.pid)
  return { port, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}
