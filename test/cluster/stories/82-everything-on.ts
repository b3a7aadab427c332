/**
 * The chart with all that it can do turned on, by the rights of its own roles and no others: agents that follow the API server,
 * labels of namespaces as selectors, SVIDs and the trust bundle mounted by the kubelet, the status of policies, metrics.
 */
import { rm } from 'node:fs/promises'
import { listAt, recordAt, textAt } from '../../../kubernetes/object.ts'
import { untilHealthy } from '../healthy-chart.ts'
import { STORAGE_CLASS, upgradeChart } from '../install-chart.ts'
import { clusterSpiffeId, idsOf, peerDeployment, peerObjects, readyPeer } from '../peers-in-pods.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-everything'
const ROOT = 'stories-everything-root'
const SIGNER = 'stories.example/spiffe'
/** Agents are in the network of this machine, where others may have the usual one. */
const METRICS_PORT = 29988
const MOUNT = '/tmp/steeple-stories-everything'
const ACCOUNT = 'peer'

export const story: Story = {
  title: 'the chart with everything turned on does all of it by the rights of its own roles',
  needs: 'chart',
  async run(context) {
    const { chart, cluster, image, mustKubectl } = context
    const namespace = await context.namespace(NAME, { story: NAME })
    await context.namespace(ROOT)
    context.afterwards(() => rm(MOUNT, { recursive: true, force: true }))
    context.afterwards(() =>
      context.kubectl(['delete', 'clustertrustbundle', trustBundle(context), '--ignore-not-found']),
    )
    context.afterwards(() => upgradeChart(cluster, image, {}))
    await upgradeChart(cluster, image, {
      server: { persistence: { storageClass: STORAGE_CLASS } },
      agent: { socketDir: chart.socketDir, podSource: 'api_server', namespaceLabels: true },
      policies: { enabled: true, rootNamespace: ROOT },
      clusterTrustBundle: { enabled: true, signerName: SIGNER },
      podCertificates: { enabled: true, signerName: SIGNER },
      metrics: { enabled: true, port: METRICS_PORT },
    })
    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate:
          'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}',
        namespaceSelector: { matchLabels: { story: NAME } },
        podSelector: { matchLabels: { app: 'peer' } },
        workloadSelectorTemplates: [`k8s:ns-label:story:${NAME}`],
      }),
      clusterSpiffeId(context, `${NAME}-mounted`, {
        spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/mounted/{{ .PodMeta.Name }}',
        namespaceSelector: { matchLabels: { story: NAME } },
        podSelector: { matchLabels: { app: 'mounted' } },
      }),
      ...peerObjects(namespace, ACCOUNT),
      peerDeployment(context, { namespace, name: 'peer', serviceAccount: ACCOUNT }),
      mountingPod(context, namespace),
    )
    context.afterwards(() =>
      mustKubectl(['delete', 'clusterspiffeid', `${NAME}-mounted`, '--ignore-not-found']),
    )
    const peer = await readyPeer(context, namespace, 'peer')
    const expected = `spiffe://${chart.trustDomain}/ns/${namespace}/sa/${ACCOUNT}`
    await context.until(`the peer to be ${expected}`, async () =>
      (await idsOf(peer)).includes(expected),
    )
    await hasMounted(context, namespace)
    await policyIsJudged(context, namespace)
    await metricsAreThere(context)
    await untilHealthy(context)
    return undefined
  },
}

const trustBundle = ({ chart }: StoryContext) => `${SIGNER.replace('/', ':')}:${chart.release}`

/** Verifies by OpenSSL what the kubelet has mounted, and nothing else. */
function mountingPod(context: StoryContext, namespace: string): object {
  const podCertificate = {
    ...{ signerName: SIGNER, keyType: 'ECDSAP256' },
    ...{ keyPath: 'key.pem', certificateChainPath: 'chain.pem' },
  }
  const clusterTrustBundle = { name: trustBundle(context), path: 'roots.pem' }
  const chain = `${MOUNT}/chain.pem`
  const verify = `openssl verify -CAfile ${MOUNT}/roots.pem -untrusted ${chain} ${chain}`
  const show = `openssl x509 -in ${chain} -noout -ext subjectAltName`
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'mounted', namespace, labels: { app: 'mounted' } },
    spec: {
      ...{ serviceAccountName: ACCOUNT, restartPolicy: 'Never', terminationGracePeriodSeconds: 0 },
      containers: [
        {
          ...{ name: 'main', image: 'localhost/workload:1', imagePullPolicy: 'Never' },
          command: ['chroot', '/host', '/bin/sh', '-c', `${verify} && ${show}`],
          volumeMounts: [
            { name: 'host', mountPath: '/host' },
            { name: 'identity', mountPath: `/host${MOUNT}` },
          ],
        },
      ],
      volumes: [
        { name: 'host', hostPath: { path: '/' } },
        { name: 'identity', projected: { sources: [{ podCertificate }, { clusterTrustBundle }] } },
      ],
    },
  }
}

async function hasMounted({ chart, kubectl, until }: StoryContext, namespace: string) {
  let last = ''
  await until(
    'the mounted SVID to be verified by the mounted bundle',
    async () => {
      last = (await kubectl(['logs', '-n', namespace, 'mounted'])).stdout
      const id = `URI:spiffe://${chart.trustDomain}/mounted/mounted`
      return last.includes('chain.pem: OK') && last.includes(id)
    },
    90_000,
  ).catch(async (cause: unknown) => {
    const about = await kubectl(['describe', 'pod', '-n', namespace, 'mounted'])
    throw new Error(`it said ${last}\n${about.stdout.slice(-1_500)}`, { cause })
  })
}

/** A policy that is taken says so in its status; one that no proxy could read is refused by the webhook. */
async function policyIsJudged(
  { apply, kubectl, mustKubectl, until }: StoryContext,
  namespace: string,
) {
  const policy = (name: string, spec: object) => ({
    ...{ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy' },
    ...{ metadata: { name, namespace }, spec },
  })
  await apply(policy('good', { rules: [{ to: [{ operation: { ports: ['8080'] } }] }] }))
  await until('the policy to be accepted', async () => {
    const path = 'jsonpath={.status.conditions[?(@.type=="Accepted")].status}'
    const words = ['get', 'authorizationpolicy', '-n', namespace, 'good', '-o', path]
    return (await mustKubectl(words)) === 'True'
  })
  const bad = policy('bad', { rules: [{ from: [{ source: { ipBlocks: ['10.0.0.0/99'] } }] }] })
  await until('the webhook to refuse', async () => {
    const dry = ['apply', '--dry-run=server', '-f', '-']
    const { code, stderr } = await kubectl(dry, JSON.stringify(bad))
    return (
      code !== 0 && stderr.includes('policies.security.istio.io') && stderr.includes('10.0.0.0/99')
    )
  })
}

async function metricsAreThere({ chart, mustKubectl }: StoryContext): Promise<void> {
  const pods = listAt(
    JSON.parse(await mustKubectl(['get', 'pods', '-n', chart.namespace, '-o', 'json'])),
    'items',
  )
  for (const component of ['server', 'agent']) {
    const pod = pods.find((one) => {
      const labels = recordAt(recordAt(one, 'metadata'), 'labels')
      return labels['app.kubernetes.io/component'] === component
    })
    const ip = textAt(recordAt(pod, 'status'), 'podIP')
    const answer = await fetch(`http://${ip}:${METRICS_PORT}/metrics`)
    const text = await answer.text()
    if (text.includes(`\nspire_${component}_`)) continue
    throw new Error(`the metrics of the ${component} are ${answer.status} ${text.slice(0, 300)}`)
  }
}
