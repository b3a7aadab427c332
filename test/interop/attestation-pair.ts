/** SPIRE's agent and ours with the same workload attestors, and callers in control groups of a test's own. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readAttested } from '../processes/attested.ts'
import { type Agent, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { controlGroup, noControlGroups } from './control-groups.ts'
import { lacking } from './interop.ts'

export interface AttestationPair extends AsyncDisposable {
  readonly server: Server
  readonly spire: Agent
  readonly ours: Agent
  /**
   * What each agent finds a caller to be: its selectors of the wanted type, SPIRE's first.
   * @param paths of its control group, and of that in the odd hierarchy
   * @param before words in front of the program that calls
   */
  found(
    paths: readonly [string, string?],
    before?: readonly string[],
  ): Promise<readonly (readonly string[])[]>
}

/** Why there can be no pair here; undefined when there can. */
export function noPair(): string | undefined {
  return lacking(['spire-server', 'spire-agent', 'curl']) ?? noControlGroups()
}

/** @param type of the selectors that are wanted @param plugins further lines of the agents' `plugins` blocks */
export async function startPair(type: string, plugins: string): Promise<AttestationPair> {
  await using undo = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'callers-'))
  undo.defer(() => rmSync(dir, { recursive: true }))
  const server = undo.use(await startServer('spire'))
  const options = { plugins, settings: 'log_format = "json"' }
  const spire = undo.use(await startAgent('spire', server, options))
  const ours = undo.use(await startAgent('steeple', server, { ...options, hasAdminSocket: true }))
  // Anybody may call.
  for (const path of [dir, spire.dir, ours.dir]) chmodSync(path, 0o755)
  const message = join(dir, 'empty-message')
  writeFileSync(message, Buffer.alloc(5))
  const opened = undo.move()
  return {
    ...{ server, spire, ours },
    async found(paths, before = []) {
      using group = controlGroup(...paths)
      const results: (readonly string[])[] = []
      for (const agent of [spire, ours]) {
        const [command = '', ...args] = [...before, ...call(agent, message)]
        const caller = group.start(command, args)
        await caller.ended
        const mine = () =>
          readAttested(agent.process().output(), type).findLast(({ pid }) => pid === caller.pid)
        await expect.poll(mine).toBeDefined()
        results.push(mine()?.selectors ?? [])
      }
      return results
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Asks for X.509-SVIDs, by a program that any user may run. */
function call({ socket }: Agent, message: string): readonly string[] {
  return [
    ...['curl', '-s', '--max-time', '20', '--http2-prior-knowledge', '--unix-socket', socket],
    ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
    ...['-H', 'workload.spiffe.io: true', '--data-binary', `@${message}`],
    'http://localhost/SpiffeWorkloadAPI/FetchX509SVID',
  ]
}
