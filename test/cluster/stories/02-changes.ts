/**
 * What changes in the cluster changes identities: a label, a service account, a pod that is replaced, a namespace that is
 * no longer selected, and one that is removed. Of what is gone nothing stays registered.
 */
import { systemClock } from '../../../spiffe/clock.ts'
import {
  clusterSpiffeId,
  idsOf,
  type PeerPod,
  peerDeployment,
  peerObjects,
  readyPeer,
} from '../peers-in-pods.ts'
import { entryIdsBelow } from '../server-in-pod.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-changes'
const PATIENCE_MS = 30_000

export const story: Story = {
  title: 'identities follow labels, service accounts, pods and namespaces',
  needs: 'chart',
  async run(context) {
    const { chart, mustKubectl } = context
    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate:
          'spiffe://{{ .TrustDomain }}/changes/{{ .PodSpec.ServiceAccountName }}/{{ index .PodMeta.Labels "tier" }}',
        namespaceSelector: { matchLabels: { story: NAME } },
        podSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
      }),
    )
    const namespace = await context.namespace(NAME, { story: NAME })
    const deploy = (serviceAccount: string) =>
      context.apply(
        ...peerObjects(namespace, serviceAccount),
        peerDeployment(context, {
          ...{ namespace, name: 'peer', serviceAccount },
          labels: { tier: 'front' },
        }),
      )
    const root = `spiffe://${chart.trustDomain}/changes`
    await deploy('first')
    const peer = await readyPeer(context, namespace, 'peer')
    await becomes(context, peer, [`${root}/first/front`])
    await mustKubectl(['label', 'pod', '-n', namespace, peer.name, 'tier=back', '--overwrite'])
    const relabelled = await becomes(context, peer, [`${root}/first/back`])

    await mustKubectl(['delete', 'pod', '-n', namespace, peer.name])
    const next = await readyPeer(context, namespace, 'peer')
    if (next.uid === peer.uid) throw new Error('the pod was not replaced')
    await becomes(context, next, [`${root}/first/front`])
    await registered(context, `${root}/`, [`${root}/first/front`])

    await deploy('second')
    await mustKubectl(['rollout', 'status', '-n', namespace, 'deployment/peer', '--timeout=120s'])
    const other = await readyPeer(context, namespace, 'peer')
    await becomes(context, other, [`${root}/second/front`])
    await registered(context, `${root}/`, [`${root}/second/front`])

    await mustKubectl(['label', 'namespace', namespace, 'story-'])
    await mustKubectl(['label', 'namespace', namespace, 'story=none'])
    const withdrawn = await becomes(context, other, [])
    await registered(context, `${root}/`, [])
    await mustKubectl(['label', 'namespace', namespace, `story=${NAME}`, '--overwrite'])
    await becomes(context, other, [`${root}/second/front`])
    await mustKubectl(['delete', 'namespace', namespace])
    await registered(context, `${root}/`, [])
    return `label changed → SVID changed in ${relabelled} ms, namespace deselected → SVID gone in ${withdrawn} ms`
  },
}

/** @returns milliseconds that it took */
async function becomes(
  { until }: StoryContext,
  peer: PeerPod,
  expected: readonly string[],
): Promise<number> {
  const start = systemClock.now().getTime()
  let last: readonly string[] = []
  await until(
    `${peer.name} to have ${JSON.stringify(expected)}`,
    async () => {
      last = await idsOf(peer)
      return JSON.stringify(last) === JSON.stringify(expected)
    },
    PATIENCE_MS,
  ).catch((error: unknown) => {
    throw new Error(`it has ${JSON.stringify(last)}`, { cause: error })
  })
  return systemClock.now().getTime() - start
}

async function registered(
  context: StoryContext,
  prefix: string,
  expected: readonly string[],
): Promise<void> {
  await context.until(
    `entries below ${prefix} to be ${JSON.stringify(expected)}`,
    async () => {
      const ids = await entryIdsBelow(context, prefix)
      return JSON.stringify(ids) === JSON.stringify(expected)
    },
    PATIENCE_MS,
  )
}
