/** The server of the chart, asked by its own command line in its pod. */
import { listAt, recordAt, textAt } from '../../kubernetes/object.ts'
import type { StoryContext } from './story.ts'

type Asking = Pick<StoryContext, 'chart' | 'mustKubectl'>

/** Runs `steeple server …`. @returns standard output */
export async function askServer(
  { chart, mustKubectl }: Asking,
  ...words: readonly string[]
): Promise<string> {
  const pod = `${chart.release}-server-0`
  return await mustKubectl([
    ...['exec', '-n', chart.namespace, pod, '-c', 'server', '--', 'steeple', 'server', ...words],
  ])
}

/** SPIFFE IDs of entries that begin so, sorted. */
export async function entryIdsBelow(context: Asking, prefix: string): Promise<readonly string[]> {
  const entries = listAt(
    JSON.parse(await askServer(context, 'entry', 'show', '-output', 'json')),
    'entries',
  )
  return entries
    .map((entry) => {
      const id = recordAt(entry, 'spiffe_id')
      return `spiffe://${textAt(id, 'trust_domain')}${textAt(id, 'path')}`
    })
    .filter((id) => id.startsWith(prefix))
    .toSorted()
}
