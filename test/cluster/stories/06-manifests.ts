/** Plain manifests and the chart with everything turned on are taken by the API server as they are; bad resources are not. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { helm } from '../install-chart.ts'
import { clusterSpiffeId } from '../peers-in-pods.ts'
import type { Story } from '../story.ts'

const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy')

const EVERYTHING = {
  metrics: { enabled: true },
  policies: { enabled: true, rootNamespace: 'stories-manifests' },
  injection: {
    enabled: true,
    namespaces: ['stories-manifests'],
    meshAddresses: ['198.18.0.0/24'],
    failurePolicy: 'Ignore',
  },
  clusterTrustBundle: { enabled: true, signerName: 'example.org/spiffe' },
  podCertificates: { enabled: true, signerName: 'example.org/spiffe' },
}

export const story: Story = {
  title:
    'the API server takes what the chart renders, and our webhook refuses a bad ClusterSPIFFEID',
  needs: 'chart',
  async run(context) {
    const { cluster, kubectl, mustKubectl, until } = context
    const namespace = await context.namespace('stories-manifests')
    const chart = join(deploy, 'chart', 'steeple')
    for (const values of [{}, EVERYTHING]) {
      const args = ['template', 'dry', chart, '-n', namespace, '-f', '-', '--validate']
      const rendered = await helm(cluster, args, JSON.stringify(values))
      await mustKubectl(['apply', '--dry-run=server', '-f', '-'], rendered)
    }
    const files = readdirSync(join(deploy, 'manifests')).filter((name) => name.endsWith('.yaml'))
    for (const name of files) {
      // The objects of a namespace that a dry run does not make.
      await mustKubectl(['apply', '--dry-run=client', '-f', join(deploy, 'manifests', name)])
    }
    const bad = clusterSpiffeId(context, 'stories-bad', {
      spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/{{ .PodMeta.Name',
    })
    const refusal = await until('the webhook to refuse', async () => {
      const tried = await kubectl(['apply', '--dry-run=server', '-f', '-'], JSON.stringify(bad))
      return tried.code !== 0 && tried.stderr
    })
    if (!/admission webhook/.test(refusal)) throw new Error(`refused otherwise: ${refusal}`)
    return undefined
  },
}
