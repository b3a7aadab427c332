/**
 * The chart with injection turned on: a pod in a labelled namespace comes up with a proxy that has its identity and its
 * policies, one that opts out comes up without, and the pods of the chart itself are left alone.
 */
import { listAt, recordAt, textAt } from '../../../kubernetes/object.ts'
import { upgradeChart } from '../install-chart.ts'
import { clusterSpiffeId, peerDeployment, peerObjects, readyPeer } from '../peers-in-pods.ts'
import type { Story } from '../story.ts'

const NAME = 'stories-injection'
const ROOT = 'stories-injection-root'

export const story: Story = {
  title: 'the chart puts proxies into pods of labelled namespaces, and into no others',
  needs: 'chart',
  async run(context) {
    const { cluster, image, mustKubectl } = context
    const namespace = await context.namespace(NAME, {
      story: NAME,
      'steeple.io/inject': 'enabled',
    })
    await context.namespace(ROOT)
    context.afterwards(() => upgradeChart(cluster, image, {}))
    await upgradeChart(cluster, image, {
      injection: { enabled: true, namespaces: [namespace], failurePolicy: 'Ignore' },
      policies: { enabled: true, rootNamespace: ROOT },
    })
    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate:
          'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}',
        namespaceSelector: { matchLabels: { story: NAME } },
      }),
    )
    await context.until('the webhook to be believed', async () => {
      const configuration = 'mutatingwebhookconfiguration'
      const printed = await mustKubectl(['get', configuration, '-o', 'json'])
      const ours = listAt(JSON.parse(printed), 'items').flatMap((one) => listAt(one, 'webhooks'))
      const named = ours.filter((one) => /\.inject\.steeple\.io$/.test(textAt(one, 'name') ?? ''))
      return (
        named.length > 0 &&
        named.every((one) => (textAt(recordAt(one, 'clientConfig'), 'caBundle') ?? '') !== '')
      )
    })
    const deploy = async (name: string, labels: Readonly<Record<string, string>>) => {
      await context.apply(
        ...peerObjects(namespace, 'peer'),
        peerDeployment(context, { namespace, name, serviceAccount: 'peer', labels }),
      )
      const peer = await readyPeer(context, namespace, name)
      const printed = await mustKubectl(['get', 'pod', '-n', namespace, peer.name, '-o', 'json'])
      const { spec } = JSON.parse(printed)
      return listAt(spec, 'initContainers').map((one) => textAt(one, 'name'))
    }
    const inside = await deploy('inside', {})
    if (!inside.includes('steeple-proxy')) throw new Error(`it has ${JSON.stringify(inside)}`)
    const outside = await deploy('outside', { 'steeple.io/inject': 'disabled' })
    if (outside.length > 0) throw new Error(`it opted out and has ${JSON.stringify(outside)}`)
    return undefined
  },
}
