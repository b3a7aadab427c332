/**
 * What ends and comes back: the agent's pod, the server's pod, killed at once. Meanwhile workloads keep what they have and
 * go on talking; afterwards new pods get their identities as before.
 */
import {
  callFrom,
  clusterSpiffeId,
  idsOf,
  type PeerPod,
  peerDeployment,
  peerObjects,
  readyPeer,
} from '../peers-in-pods.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-restarts'
const PATIENCE_MS = 120_000

export const story: Story = {
  title:
    'workloads go on while the agent’s and the server’s pods are killed, and new ones get in after',
  needs: 'chart',
  async run(context) {
    const { mustKubectl } = context
    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/restarts/{{ .PodMeta.Labels.app }}',
        namespaceSelector: { matchLabels: { story: NAME } },
      }),
    )
    const namespace = await context.namespace(NAME, { story: NAME })
    const deploy = async (name: string) => {
      await context.apply(
        ...peerObjects(namespace, 'peer'),
        peerDeployment(context, { namespace, name, serviceAccount: 'peer' }),
      )
      return await readyPeer(context, namespace, name)
    }
    const [a, b] = [await deploy('a'), await deploy('b')]
    await talks(context, a, b)

    await kill(context, 'agent')
    await callFrom(a, b) // what they have is theirs
    await ready(context, 'agent')
    const c = await deploy('c')
    await talks(context, a, c)

    await kill(context, 'server')
    await callFrom(a, b)
    await ready(context, 'server')
    const d = await deploy('d')
    await talks(context, d, a)
    for (const [peer, name] of [
      [a, 'a'],
      [b, 'b'],
      [c, 'c'],
      [d, 'd'],
    ] as const) {
      const ids = await idsOf(peer)
      const expected = `spiffe://${context.chart.trustDomain}/restarts/${name}`
      if (ids.length !== 1 || ids[0] !== expected) {
        throw new Error(`${name} has ${JSON.stringify(ids)}, expected ${expected} alone`)
      }
    }
    return undefined
  },
}

async function talks({ until }: StoryContext, a: PeerPod, b: PeerPod): Promise<void> {
  await until('both to talk', () => callFrom(a, b), PATIENCE_MS)
}

const labelled = (component: string) => ['-l', `app.kubernetes.io/component=${component}`]

/** As when its node loses power: nothing is asked to stop. */
async function kill({ chart, mustKubectl }: StoryContext, component: 'agent' | 'server') {
  await mustKubectl([
    ...['delete', 'pod', '-n', chart.namespace, ...labelled(component)],
    ...['--grace-period=0', '--force'],
  ])
}

async function ready({ chart, mustKubectl, until }: StoryContext, component: 'agent' | 'server') {
  await until(
    `the ${component} to be ready again`,
    async () => {
      await mustKubectl([
        ...['wait', 'pod', '-n', chart.namespace, ...labelled(component)],
        ...['--for=condition=Ready', '--timeout=5s'],
      ])
      return true
    },
    PATIENCE_MS,
  )
}
