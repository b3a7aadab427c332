/** The chart on a real cluster, by helm, with a volume for its server; gone without a trace when it is disposed of. */
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { run } from '../processes/process.ts'
import { kubectlFor, listOf, mustKubectl } from './kubectl.ts'
import { peersBin } from './real-cluster.ts'
import type { Chart, RealCluster } from './story.ts'

const CHART_DIR = join(import.meta.dirname, '..', '..', 'deploy', 'chart', 'steeple')

export const chart: Chart = {
  release: 'steeple',
  namespace: 'steeple-stories',
  trustDomain: 'stories.example',
  clusterName: 'stories',
  className: 'steeple-stories-steeple',
  socketDir: '/run/steeple-stories/agent-sockets',
  socketName: 'spire-agent.sock',
}

/** Of the volume of the server: values for it replace those below as a whole. */
export const STORAGE_CLASS = 'steeple-stories'
/** The user of the image. */
const NONROOT = 65532
const INSTALL_MS = 5 * 60_000

/** Values for this one-node cluster; everything else is as the chart has it. */
function values(image: string): object {
  const [repository = '', tag = ''] = image.split(/:(?=[^:]*$)/)
  return {
    trustDomain: chart.trustDomain,
    clusterName: chart.clusterName,
    image: { repository, tag, pullPolicy: 'Never' },
    server: { persistence: { storageClass: STORAGE_CLASS } },
    controllerManager: {
      className: chart.className,
      // Others may use the same cluster.
      webhook: { failurePolicy: 'Ignore' },
    },
    agent: { socketDir: chart.socketDir },
  }
}

/** Resolves when server and agents are ready. */
export async function installChart(cluster: RealCluster, image: string): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack()
  const must = (args: readonly string[], input?: string) =>
    mustKubectl(kubectlFor(cluster), args, input)
  const data = mkdtempSync(join(tmpdir(), 'steeple-stories-'))
  chownSync(data, NONROOT, NONROOT)
  undo.defer(() => rmSync(data, { recursive: true, force: true }))
  await must(['apply', '-f', '-'], listOf([volume(data)]))
  undo.defer(async () => {
    await must(['delete', 'persistentvolume', STORAGE_CLASS, '--wait=false'])
  })
  const { namespace, release } = chart
  undo.defer(async () => {
    await must(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=true'])
  })
  undo.defer(async () => {
    await helm(cluster, ['uninstall', release, '-n', namespace, '--wait'])
  })
  await upgradeChart(cluster, image, {})
  return undo.move()
}

/** Installs the chart or changes it. @param more values laid over those for the stories */
export async function upgradeChart(
  cluster: RealCluster,
  image: string,
  more: object,
): Promise<void> {
  const { namespace, release } = chart
  const laidOver = env.CLUSTER_VALUES ? ['-f', env.CLUSTER_VALUES] : []
  await helm(
    cluster,
    [
      ...['upgrade', '--install', release, CHART_DIR, '-n', namespace, '--create-namespace'],
      ...['-f', '-', ...laidOver, '--wait', '--timeout', `${INSTALL_MS / 1000}s`],
    ],
    JSON.stringify({ ...values(image), ...more }),
  )
}

export async function helm(
  { kubeconfig }: RealCluster,
  args: readonly string[],
  input = '',
): Promise<string> {
  const { code, stdout, stderr } = await run(
    join(peersBin, 'helm'),
    ['--kubeconfig', kubeconfig, ...args],
    { input, timeoutMs: INSTALL_MS + 30_000 },
  )
  if (code !== 0) throw new Error(`helm ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

const volume = (path: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: STORAGE_CLASS },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    storageClassName: STORAGE_CLASS,
    hostPath: { path },
  },
})
