/**
 * An operator's commands at a real server, with what differs from run to run put by a word. The texts that tests expect
 * are those that spire-server 1.15.3 prints for the same commands.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestServer, type TestServer } from '../../server/running-server.ts'
import { type Ran, run, type Surroundings } from '../run.ts'

export interface Operator extends AsyncDisposable {
  readonly server: TestServer
  /** A directory for files of the test. */
  readonly files: string
  /** Runs a command of `steeple server` on the socket of the server. */
  steeple(line: string, more?: readonly string[], around?: Surroundings): Promise<Ran>
}

export async function openOperator(): Promise<Operator> {
  const files = mkdtempSync(join(tmpdir(), 'cli-story-'))
  const server = await startTestServer()
  return {
    server,
    files,
    async steeple(line, more = [], around = {}) {
      const words = line.split(' ').filter((word) => word !== '')
      const socket = ['-socketPath', server.socketPath]
      const { code, out, err } = await run(['server', ...words, ...more, ...socket], around)
      return { code, out: settled(out), err: settled(err) }
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(files, { recursive: true })
    },
  }
}

export function settled(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/-----BEGIN ([A-Z ]+)-----[^-]+-----END [A-Z ]+-----/g, 'PEM $1')
    .replace(/\b1[789]\d{8}\b/g, 'UNIX')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \w+/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/\b\d{30,}\b/g, 'SERIAL')
    .replace(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g, 'JWT')
}

export const failed = (message: string): Ran => ({ code: 1, out: '', err: `Error: ${message}\n` })
export const printed = (out: string): Ran => ({ code: 0, out, err: '' })
