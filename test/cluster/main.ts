/**
 * `npm run cluster [WORD …]`: everything that only a whole Kubernetes can prove. Starts one, builds the image from the
 * Dockerfile, installs the chart, and tells a line for each story whose file name has one of the words. Instead, CLUSTER_DIR
 * names a cluster that runs, CLUSTER_IMAGE an image in it or an archive of one; CLUSTER_VALUES is a file of further values.
 * Exit code 1 when a story failed; without root or a program it says so and does nothing.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { argv, env, exit, getuid } from 'node:process'
import { systemClock } from '../../spiffe/clock.ts'
import { prepareImage } from './image.ts'
import { chart, installChart } from './install-chart.ts'
import { missingPrograms, openRealCluster } from './real-cluster.ts'
import { runStory } from './run-story.ts'
import type { RealCluster, Story } from './story.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

const MARKS = { passed: 'passed ', failed: 'FAILED ', skipped: 'SKIPPED' } as const

interface Named {
  readonly name: string
  readonly story: Story
}

async function readStories(words: readonly string[]): Promise<readonly Named[]> {
  const dir = join(import.meta.dirname, 'stories')
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.ts'))
    .toSorted()
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  const stories: Named[] = []
  for (const name of names) {
    const { story }: { readonly story: Story } = await import(join(dir, name))
    stories.push({ name: name.replace(/\.ts$/, ''), story })
  }
  return stories
}

/** Seconds with one decimal, for people. */
async function timed<T>(work: () => Promise<T>): Promise<readonly [T, string]> {
  const start = systemClock.now().getTime()
  const result = await work()
  return [result, `${((systemClock.now().getTime() - start) / 1000).toFixed(1)} s`]
}

async function tell(cluster: RealCluster, stories: readonly Named[]): Promise<boolean> {
  await using after = new AsyncDisposableStack()
  let image = ''
  if (stories.some(({ story }) => story.needs !== 'cluster')) {
    const [prepared, took] = await timed(() => prepareImage(cluster, env.CLUSTER_IMAGE))
    image = prepared
    say(`image ${image} is in the cluster (${took})`)
  }
  if (stories.some(({ story }) => story.needs === 'chart')) {
    const [, took] = await timed(async () => after.use(await installChart(cluster, image)))
    say(`chart is installed and ready (${took})`)
  }
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const { name, story } of stories) {
    const [outcome, took] = await timed(() => runStory(story, { cluster, image, chart }))
    counts[outcome.kind] += 1
    const figures = outcome.kind === 'passed' && outcome.figures ? `: ${outcome.figures}` : ''
    say(`${MARKS[outcome.kind]} ${name}: ${story.title}${figures} (${took})`)
    if (outcome.kind !== 'passed') say(outcome.why.replaceAll(/^/gm, '        '))
  }
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} SKIPPED`
  say(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
  return counts.failed === 0
}

const missing = getuid?.() === 0 ? missingPrograms() : ['root']
if (missing.length > 0) {
  process.stderr.write(
    `SKIPPED the cluster's stories: they need ${missing.join(', ')}; programs come with test/interop/peers install cluster identity\n`,
  )
  exit(0)
}
const stories = await readStories(argv.slice(2))
await using cluster = await openRealCluster(env.CLUSTER_DIR)
process.exitCode = (await tell(cluster, stories)) ? 0 : 1
