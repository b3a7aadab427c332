/** The doctor of clusters says nothing of a healthy chart, and finds what is broken: rights, sockets, bundle, templates. */
import { steeple } from '../../processes/cluster.ts'
import { run } from '../../processes/process.ts'
import { clusterSpiffeId } from '../peers-in-pods.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-doctor'
const PATIENCE_MS = 60_000

export const story: Story = {
  title: 'the doctor finds missing rights, a wrong socket, an absent bundle and a failing template',
  needs: 'chart',
  async run(context) {
    const { chart, mustKubectl } = context
    await says(context, 0, /Nothing is wrong/)

    const binding = ['clusterrolebinding', `${chart.namespace}-${chart.release}-server`]
    const saved = await mustKubectl(['get', ...binding, '-o', 'json'])
    context.afterwards(() => mustKubectl(['apply', '-f', '-'], restorable(saved)))
    await mustKubectl(['delete', ...binding])
    await says(context, 2, /the server may not create tokenreviews\.authentication\.k8s\.io/)
    await mustKubectl(['apply', '-f', '-'], restorable(saved))

    const namespace = await context.namespace(NAME, { story: NAME })
    await context.apply(lostPod(namespace, chart.socketName))
    await says(
      context,
      2,
      new RegExp(`pod ${NAME}/lost, container lost: it looks for the socket at /run/elsewhere/`),
    )

    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/x/{{ .PodMeta.Labels.absent }}',
        namespaceSelector: { matchLabels: { story: NAME } },
      }),
    )
    await says(context, 2, new RegExp(`by ClusterSPIFFEID ${NAME}: it gets no entry: `))

    const bundle = `${chart.release}-bundle`
    const text = await mustKubectl([
      ...['get', 'configmap', '-n', chart.namespace, bundle, '-o', 'json'],
    ])
    const { data } = JSON.parse(text)
    const patch = (to: object) =>
      mustKubectl([
        ...['patch', 'configmap', '-n', chart.namespace, bundle, '--type=merge'],
        ...['-p', JSON.stringify({ data: to })],
      ])
    context.afterwards(() => patch(data))
    await patch({ 'bundle.crt': null })
    await says(context, 2, /it has no key bundle\.crt: no new agent can start/)
    return undefined
  },
}

/** Asks until the answer is there: what was changed a moment ago is not seen by everybody at once. */
async function says(
  { cluster, chart, until }: StoryContext,
  code: number,
  expected: RegExp,
): Promise<void> {
  let last = ''
  await until(
    `the doctor to say ${expected}`,
    async () => {
      const args = [
        'k8s',
        'doctor',
        '-kubeconfig',
        cluster.kubeconfig,
        '-namespace',
        chart.namespace,
      ]
      const ran = await run(steeple, args, { timeoutMs: 60_000 })
      last = `exit code ${ran.code}\n${ran.stdout}${ran.stderr}`
      return ran.code === code && expected.test(ran.stdout)
    },
    PATIENCE_MS,
  ).catch((error: unknown) => {
    throw new Error(`the doctor said: ${last}`, { cause: error })
  })
}

/** Without what the API server wrote. */
function restorable(json: string): string {
  const { metadata, ...object } = JSON.parse(json)
  const { name, labels, annotations } = metadata
  return JSON.stringify({ ...object, metadata: { name, labels, annotations } })
}

const lostPod = (namespace: string, socketName: string) => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: 'lost' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        ...{ name: 'lost', image: 'localhost/workload:1', imagePullPolicy: 'Never' },
        env: [{ name: 'SPIFFE_ENDPOINT_SOCKET', value: `unix:///spiffe/${socketName}` }],
        volumeMounts: [{ name: 'spiffe', mountPath: '/spiffe' }],
      },
    ],
    volumes: [{ name: 'spiffe', hostPath: { path: '/run/elsewhere', type: '' } }],
  },
})
