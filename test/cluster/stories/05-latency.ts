/**
 * From the creation of a pod to its SVID, over a hundred pods, a few at a time: the whole way through scheduler, kubelet,
 * container runtime, controller, server and agent; and the part of it after the program in the container has begun.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '../../../kubernetes/cluster.ts'
import { openCluster } from '../../../kubernetes/open-cluster.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { clusterSpiffeId } from '../peers-in-pods.ts'
import { peersBin } from '../real-cluster.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-latency'
const PODS = 100
const AT_A_TIME = 4
const PATIENCE_MS = 180_000

interface Measured {
  readonly createdToServedMs: number
  readonly startedToServedMs: number
}

export const story: Story = {
  title: 'a hundred pods get their SVIDs',
  needs: 'chart',
  async run(context) {
    context.afterwards(() =>
      context.mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']),
    )
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/latency/{{ .PodMeta.Name }}',
        namespaceSelector: { matchLabels: { story: NAME } },
      }),
    )
    await context.namespace(NAME, { story: NAME })
    const dir = mkdtempSync(join(tmpdir(), 'steeple-latency-'))
    context.afterwards(async () => rmSync(dir, { recursive: true, force: true }))
    using api = await openCluster({ kubeconfig: context.cluster.kubeconfig })
    const measured: Measured[] = []
    const names = Array.from({ length: PODS }, (_, index) => `pod-${index}`).values()
    const oneAfterTheOther = async () => {
      for (const name of names) measured.push(await measure(context, api, dir, name))
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, oneAfterTheOther))
    return `pod created → SVID: ${text(measured.map((one) => one.createdToServedMs))}; program started → SVID: ${text(measured.map((one) => one.startedToServedMs))}`
  },
}

function text(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => Math.round(sorted[Math.ceil(part * sorted.length) - 1] ?? 0)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

async function measure(
  { chart, until }: StoryContext,
  api: Cluster,
  dir: string,
  name: string,
): Promise<Measured> {
  const times = join(dir, name)
  const pods = `/api/v1/namespaces/${NAME}/pods`
  const socket = `unix://${chart.socketDir}/${chart.socketName}`
  const createdAt = systemClock.now().getTime()
  await api.request({ method: 'POST', path: pods, body: pod(name, times, socket) })
  const [startedAt, servedAt] = await until(
    `an SVID of ${name}`,
    async () => {
      const read = /^began (\d+)\nserved (\d+) .*\/latency\/(\S+?)"/.exec(
        readFileSync(times, 'utf8'),
      )
      if (read === null) return undefined
      if (read[3] !== name) throw new Error(`${name} was given the SVID of ${read[3]}`)
      return [Number(read[1]), Number(read[2])] as const
    },
    PATIENCE_MS,
  )
  await api.request({
    ...{ method: 'DELETE', path: `${pods}/${name}` },
    body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 },
  })
  return {
    createdToServedMs: servedAt - createdAt,
    startedToServedMs: servedAt - startedAt,
  }
}

/** go-spiffe as a program of the host, run in the pod; it notes in a file when it began and when it had its SVID. */
function pod(name: string, times: string, socket: string): object {
  const now = '$(date +%s%3N)'
  const script = [
    `echo "began ${now}" > ${times}`,
    `${join(peersBin, 'go-client')} watch | { read -r line; echo "served ${now} $line" >> ${times}; cat; }`,
  ].join('\n')
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          ...{ name: 'workload', image: 'localhost/workload:1', imagePullPolicy: 'Never' },
          command: ['chroot', '/host', '/bin/sh', '-c', script],
          env: [{ name: 'SPIFFE_ENDPOINT_SOCKET', value: socket }],
          volumeMounts: [{ name: 'host', mountPath: '/host' }],
        },
      ],
      volumes: [{ name: 'host', hostPath: { path: '/' } }],
    },
  }
}
