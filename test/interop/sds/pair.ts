/** Our agent and SPIRE's under one real server, and entries that say the same of the tests' own process at both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatBundlePem } from '../../../spiffe/bundle/pem.ts'
import { testCa } from '../../fakes/ca.ts'
import { type Agent, type Server, startAgent, startServer } from '../../processes/cluster.ts'

export async function succeed(server: Server, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli('spire', ...words)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

export interface Pair extends AsyncDisposable {
  readonly ours: Agent
  readonly theirs: Agent
  readonly both: readonly Agent[]
  /** One for each agent, named after it, so that both have them in the same order. */
  createEntry(name: string, id: string, ...more: readonly string[]): Promise<void>
  updateEntry(name: string, id: string, ...more: readonly string[]): Promise<void>
  deleteEntry(name: string): Promise<void>
}

/** @param more lines of the `agent` block of both @param experimental lines of that block in it */
export async function startPair(more = '', experimental = ''): Promise<Pair> {
  const settings = `${more}\nexperimental { sync_interval = "1s"\n${experimental} }`
  const server = await startServer('spire')
  const dir = mkdtempSync(join(tmpdir(), 'sds-'))
  for (const trustDomain of ['partner.org', 'third.org']) {
    const path = join(dir, `${trustDomain}.pem`)
    writeFileSync(path, formatBundlePem((await testCa({ trustDomain })).bundle))
    await succeed(server, 'bundle', 'set', '-id', `spiffe://${trustDomain}`, '-path', path)
  }
  const ours = await startAgent('steeple', server, { settings })
  const theirs = await startAgent('spire', server, { settings })
  const write =
    (verb: 'create' | 'update') =>
    async (name: string, id: string, ...more: readonly string[]) => {
      for (const { kind, id: parent } of [ours, theirs]) {
        const words = ['-entryID', `${name}-${kind}`, '-parentID', parent, '-spiffeID', id]
        await succeed(server, 'entry', verb, ...words, ...more)
      }
    }
  return {
    ...{ ours, theirs, both: [ours, theirs] },
    createEntry: write('create'),
    updateEntry: write('update'),
    async deleteEntry(name) {
      for (const { kind } of [ours, theirs]) {
        await succeed(server, 'entry', 'delete', '-entryID', `${name}-${kind}`)
      }
    },
    async [Symbol.asyncDispose]() {
      await ours[Symbol.asyncDispose]()
      await theirs[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
