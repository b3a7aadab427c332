/**
 * Parts of Kubernetes itself go away: the kubelet is killed and comes back, the API server is silent for a minute. What
 * workloads have stays theirs, and what happens afterwards is as before.
 */
import { kill } from 'node:process'
import { systemClock } from '../../../spiffe/clock.ts'
import {
  callFrom,
  clusterSpiffeId,
  idsOf,
  peerDeployment,
  peerObjects,
  readyPeer,
} from '../peers-in-pods.ts'
import { partOf } from '../real-cluster.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-outages'
const AWAY_MS = 60_000
const LOOK_MS = 5_000

export const story: Story = {
  title: 'workloads go on while the kubelet restarts and while the API server is away for a minute',
  needs: 'chart',
  async run(context) {
    const { chart, cluster, mustKubectl, until } = context
    if (!cluster.isOwn) context.skip('it stops parts of the cluster, and others use this one')
    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/outages/{{ .PodMeta.Labels.app }}',
        namespaceSelector: { matchLabels: { story: NAME } },
      }),
    )
    const namespace = await context.namespace(NAME, { story: NAME })
    const deploy = async (name: string) => {
      await context.apply(
        ...peerObjects(namespace, 'peer'),
        peerDeployment(context, { namespace, name, serviceAccount: 'peer' }),
      )
      const peer = await readyPeer(context, namespace, name)
      const expected = `spiffe://${chart.trustDomain}/outages/${name}`
      await until(`${name} to be ${expected}`, async () => (await idsOf(peer)).includes(expected))
      return peer
    }
    const [a, b] = [await deploy('a'), await deploy('b')]

    const kubelet = part(context, 'kubelet', 'kubelet.yaml')
    kill(kubelet, 'SIGKILL')
    await callFrom(a, b)
    await until('a new kubelet', async () => {
      const next = partOf(cluster, 'kubelet', 'kubelet.yaml')
      return next !== undefined && next !== kubelet
    })
    const c = await deploy('c')
    await callFrom(c, a)

    const apiServer = part(context, 'kube-apiserver', 'apiserver.crt')
    kill(apiServer, 'SIGSTOP')
    context.afterwards(async () => kill(apiServer, 'SIGCONT'))
    let calls = 0
    for (let waited = 0; waited < AWAY_MS; waited += LOOK_MS) {
      await systemClock.sleep(LOOK_MS)
      await callFrom(a, b)
      await callFrom(b, c)
      calls += 2
    }
    kill(apiServer, 'SIGCONT')
    const d = await deploy('d')
    await callFrom(d, b)
    return `${calls} calls while the API server was away`
  },
}

function part({ cluster }: StoryContext, program: string, file: string): number {
  const pid = partOf(cluster, program, file)
  if (pid === undefined) throw new Error(`no ${program} of this cluster runs`)
  return pid
}
