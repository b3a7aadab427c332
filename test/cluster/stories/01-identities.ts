/**
 * One ClusterSPIFFEID, Deployments in three namespaces: every pod has exactly the identity of its namespace and service
 * account, and they talk mutual TLS to each other by the SDK. A namespace without the label gets nothing.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  callFrom,
  clusterSpiffeId,
  idsOf,
  peerDeployment,
  peerObjects,
  readyPeer,
} from '../peers-in-pods.ts'
import type { Story } from '../story.ts'

const NAME = 'stories-identities'
const NAMESPACES = ['stories-shop', 'stories-stock', 'stories-till']

export const story: Story = {
  title: 'pods in three namespaces have exactly their own identities and talk mutual TLS',
  needs: 'chart',
  async run(context) {
    const { chart, mustKubectl } = context
    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate:
          'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}',
        namespaceSelector: { matchLabels: { story: NAME } },
      }),
    )
    for (const name of NAMESPACES) {
      const namespace = await context.namespace(name, { story: NAME })
      await context.apply(
        ...peerObjects(namespace, `${name}-account`),
        peerDeployment(context, { namespace, name: 'peer', serviceAccount: `${name}-account` }),
      )
    }
    const idIn = (name: string) => `spiffe://${chart.trustDomain}/ns/${name}/sa/${name}-account`
    const peers = new Map(
      await Promise.all(
        NAMESPACES.map(async (name) => [name, await readyPeer(context, name, 'peer')] as const),
      ),
    )
    for (const [name, peer] of peers) {
      const ids = await idsOf(peer)
      if (!isDeepStrictEqual(ids, [idIn(name)])) {
        throw new Error(`pod in ${name} has ${JSON.stringify(ids)}, expected ${idIn(name)} alone`)
      }
    }
    let calls = 0
    for (const [name, peer] of peers) {
      for (const [other, called] of peers) {
        if (other === name) continue
        const knownAs = await callFrom(peer, called)
        if (knownAs !== idIn(name)) {
          throw new Error(`${other} knows the pod in ${name} as ${knownAs}`)
        }
        calls += 1
      }
    }
    return `${peers.size} pods, ${calls} calls`
  },
}
