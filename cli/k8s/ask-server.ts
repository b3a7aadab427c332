/** Asks the server in its pod, by its own command line, for what only it knows: agents, entries, authorities. */

import { listAt, recordAt, textAt } from '../../kubernetes/object.ts'
import type { RunInPod } from '../../kubernetes/run-in-pod.ts'
import { keyOf } from '../../server/controller/plan.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { selector } from '../../spiffe/selector.ts'
import { readPem } from './examine-bundle.ts'
import { type AttestedAgent, readAgent } from './examine-nodes.ts'
import type { Workload } from './installation.ts'

export interface ServerInPod {
  agents(): Promise<readonly AttestedAgent[]>
  /** `keyOf` of each entry. */
  entryKeys(): Promise<ReadonlySet<string>>
  /** DER of the X.509 authorities of its own bundle. */
  authorities(): Promise<readonly Buffer[]>
}

const STEEPLE = '/usr/local/bin/steeple'

/** @param pod a pod of the server that is ready */
export function serverInPod(run: RunInPod, server: Workload, pod: string): ServerInPod {
  const { namespace, container } = server
  const ask = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await run({ namespace, pod, container }, [
      ...[STEEPLE, 'server', ...words],
    ])
    if (code === 0) return stdout
    throw new IdentityError(
      'UNAVAILABLE',
      `the server in pod ${namespace}/${pod} did not tell: ${stderr.trim()}`,
    )
  }
  return {
    agents: async () =>
      listAt(parse(await ask('agent', 'list', '-output', 'json')), 'agents').map(readAgent),
    entryKeys: async () =>
      new Set(
        listAt(parse(await ask('entry', 'show', '-output', 'json')), 'entries').map(keyOfEntry),
      ),
    authorities: async () => readPem(await ask('bundle', 'show')),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new IdentityError('UNAVAILABLE', `the server printed no JSON: ${reasonOf(error)}`)
  }
}

function keyOfEntry(entry: unknown): string {
  const id = (key: string) => {
    const written = recordAt(entry, key)
    return parseSpiffeId(
      `spiffe://${textAt(written, 'trust_domain') ?? ''}${textAt(written, 'path') ?? ''}`,
    )
  }
  return keyOf({
    spiffeId: id('spiffe_id'),
    parentId: id('parent_id'),
    selectors: listAt(entry, 'selectors').map((one) =>
      selector(textAt(one, 'type') ?? '', textAt(one, 'value') ?? ''),
    ),
  })
}
