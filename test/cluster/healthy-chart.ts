/** The chart by the word of the doctor of clusters: no problem, and nothing that it could not look at. */
import { steeple } from '../processes/cluster.ts'
import { run } from '../processes/process.ts'
import type { StoryContext } from './story.ts'

/** Asks until it is so; what was changed a moment ago is not seen by everybody at once. Warnings are none of its business. */
export async function untilHealthy({ chart, cluster, until }: StoryContext): Promise<void> {
  const flags = ['-kubeconfig', cluster.kubeconfig, '-namespace', chart.namespace]
  let last = ''
  await until('the doctor to find the chart healthy', async () => {
    const args = ['k8s', 'doctor', ...flags, '-output', 'json']
    const { stdout, stderr } = await run(steeple, args, { timeoutMs: 60_000 })
    last = `${stdout}${stderr}`
    return JSON.parse(stdout).healthy === true
  }).catch((cause: unknown) => {
    throw new Error(`the doctor said: ${last}`, { cause })
  })
}
