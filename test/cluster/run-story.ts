/** Runs one story with a context of its own, and cleans up after it whatever came of it. */
import { until } from '../processes/process.ts'
import { kubectlFor, listOf, mustKubectl } from './kubectl.ts'
import type { Story, StoryContext } from './story.ts'

export type Outcome =
  | { readonly kind: 'passed'; readonly figures: string | undefined }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'skipped'; readonly why: string }

class Skipped extends Error {}

type Given = Pick<StoryContext, 'cluster' | 'image' | 'chart'>

export async function runStory(story: Story, given: Given): Promise<Outcome> {
  const cleanups: (() => Promise<unknown>)[] = []
  let outcome: Outcome
  try {
    outcome = { kind: 'passed', figures: await story.run(contextFor(given, cleanups)) }
  } catch (error) {
    const kind = error instanceof Skipped ? 'skipped' : 'failed'
    outcome = { kind, why: describe(error) }
  }
  for (const cleanup of cleanups.toReversed()) {
    await cleanup().catch((error: unknown) => {
      outcome = { kind: 'failed', why: `cannot clean up: ${describe(error)}` }
    })
  }
  return outcome
}

function contextFor(given: Given, cleanups: (() => Promise<unknown>)[]): StoryContext {
  const kubectl = kubectlFor(given.cluster)
  const must = (args: readonly string[], input?: string) => mustKubectl(kubectl, args, input)
  return {
    ...given,
    kubectl,
    mustKubectl: must,
    apply: async (...objects) => {
      await must(['apply', '-f', '-'], listOf(objects))
    },
    async namespace(name, labels = {}) {
      const metadata = { name, labels }
      await must(['apply', '-f', '-'], listOf([{ apiVersion: 'v1', kind: 'Namespace', metadata }]))
      cleanups.push(() => must(['delete', 'namespace', name, '--ignore-not-found', '--wait=true']))
      return name
    },
    skip(reason) {
      throw new Skipped(reason)
    },
    afterwards: (cleanup) => cleanups.push(cleanup),
    until,
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${describe(error.cause)}`
  return `${error.message}${cause}`
}
