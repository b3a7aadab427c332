/**
 * References to Kubernetes objects, at our agent and at spire-agent, over one real API server: the same objects are found, with the
 * same selectors, and the cluster's own authorization says the same of the same brokers.
 */
import { env } from 'node:process'
import { expect } from 'vitest'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { until } from '../processes/process.ts'
import { type Outcome, objectReference } from './broker/broker-call.ts'
import { type Pair, startPair, type Who } from './broker/pair.ts'
import { interop } from './interop.ts'

const OBJECTS = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: a } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: default, namespace: shop }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: main, image: "localhost/web:1" }] }
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web
  namespace: shop
  labels: { app: web }
  ownerReferences:
    - { apiVersion: v1, kind: ConfigMap, name: kept, uid: 11111111-1111-4111-8111-111111111111 }
    - { apiVersion: apps/v1, kind: Deployment, name: up, uid: 22222222-2222-4222-8222-222222222222, controller: true }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: main, image: "localhost/web:1" }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: impersonate }
rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["impersonate-via-spire"] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: impersonate }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: impersonate }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: "spiffe://example.org/full" }]
`

/** A kubelet that is not there, and none at all: either way pods are those of the cluster. */
const KUBELETS = {
  absent: `kubelet_secure_port = 1
      node_name = "127.0.0.1"
      skip_kubelet_verification = true
      use_anonymous_authentication = true`,
  disabled: 'disable_kubelet_client = true',
} as const

/** Only SPIRE takes its kubeconfig from the environment. */
const attestor = (kubelet: string, kubeconfig: string) => `WorkloadAttestor "k8s" {
    plugin_data {
      ${kubelet}
      ${kubeconfig}
      experimental {
        broker {
          access_policy = "enforced"
          brokers = [
            { id = "spiffe://example.org/full", pod_reference_scope = "cluster" },
            { id = "spiffe://example.org/objects", pod_reference_scope = "cluster" },
          ]
        }
      }
    }
  }`

async function uidOf(kubernetes: Kubernetes, what: string): Promise<string> {
  const words = ['get', '-n', 'shop', what, '-o', 'jsonpath={.metadata.uid}']
  return (await kubernetes.mustKubectl(words)).trim()
}

async function ask(pair: Pair, reference: object, who: Who = 'full') {
  const request = {
    method: 'SubscribeToX509SVID' as const,
    body: objectReference(reference as Readonly<Record<string, unknown>>),
  }
  using ours = pair.ours.connect(who, 'tcp')
  using theirs = pair.theirs.connect(who, 'tcp')
  const [our, their] = [await ours.ask(request), await theirs.ask(request)]
  const title = `${who} ${JSON.stringify(reference)}: ${show(our)} | ${show(their)}`
  return { our, their, title }
}

const show = ({ code, text }: Outcome) => `${code} ${text}`

const PODS = { plural: 'pods', group: 'core' }
const SETS = { plural: 'replicasets', group: 'apps' }
const NAMESPACES = { plural: 'namespaces', group: 'core' }
const WEB = { namespace: 'shop', name: 'web' }

for (const [state, kubelet] of Object.entries(KUBELETS)) {
  interop(
    `references to objects of a real cluster come to the same identities and refusals at either agent, with its kubelet ${state}`,
    ['spire-server', 'spire-agent', 'kube-apiserver', 'etcd', 'kubectl'],
    async () => {
      await using kubernetes = await startKubernetes()
      await kubernetes.mustKubectl(['apply', '-f', '-'], OBJECTS)
      const [pod, set] = [await uidOf(kubernetes, 'pod/web'), await uidOf(kubernetes, 'rs/web')]
      const before = env.KUBECONFIG
      env.KUBECONFIG = kubernetes.kubeconfig
      const kubeconfig = `kubeconfig = "${kubernetes.kubeconfig}"`
      await using pair = await startPair((kind) =>
        attestor(kubelet, kind === 'spire' ? '' : kubeconfig),
      )
      if (before === undefined) delete env.KUBECONFIG
      else env.KUBECONFIG = before

      const owner = '22222222-2222-4222-8222-222222222222'
      const selectors = [
        ...['pod-name:web', `pod-uid:${pod}`, 'pod-label:app:web', 'ns:shop'],
        ...[`uid:${set}`, 'resource:replicasets.apps', 'plural:replicasets', 'group:apps'],
        ...['version:v1', 'apiVersion:apps/v1', 'kind:ReplicaSet', 'name:web', 'namespace:shop'],
        ...['key:shop/web', 'label:app:web', 'owner-key:core/ConfigMap/kept'],
        ...[`owner-uid:apps/Deployment/${owner}`, 'controller-key:apps/Deployment/up'],
        ...[`controller-uid:apps/Deployment/${owner}`, 'controller-key:core/ConfigMap/kept'],
        ...['resource:namespaces.core', 'apiVersion:v1', 'key:shop', 'label:team:a', 'namespace:'],
      ]
      for (const [at, one] of selectors.entries()) {
        if (one !== 'namespace:') await pair.create(`/s${at}`, `k8s:${one}`)
      }
      const expected = new Map([
        [{ type: PODS, key: WEB }, 4],
        [{ type: PODS, uid: pod }, 4],
        [{ type: PODS, key: WEB, uid: pod }, 4],
        [{ type: SETS, key: WEB }, 15],
        [{ type: SETS, uid: set }, 15],
        [{ type: NAMESPACES, key: { name: 'shop' } }, 5],
      ])
      for (const [reference, count] of expected) {
        await until(`both agents to have all SVIDs of ${JSON.stringify(reference)}`, async () => {
          const { our, their, title } = await ask(pair, reference)
          if (our.code !== '' && our.code !== 'PERMISSION_DENIED') throw new Error(title)
          return idsOf(our).length >= count && idsOf(their).length >= count
        })
        const { our, their, title } = await ask(pair, reference)
        expect(idsOf(our), title).toEqual(idsOf(their))
      }

      const absent = { namespace: 'shop', name: 'gone' }
      const refusals: readonly (readonly [object, Who])[] = [
        [{ type: PODS, key: absent }, 'full'],
        [{ type: PODS, uid: 'x' }, 'full'],
        [{ type: PODS, key: WEB, uid: 'x' }, 'full'],
        [{ type: PODS, key: { name: 'web' } }, 'full'],
        [{ type: SETS, key: absent }, 'full'],
        [{ type: SETS, key: WEB, uid: pod }, 'full'],
        [{ type: SETS, uid: pod }, 'full'],
        [{ type: SETS, key: { name: 'web' } }, 'full'],
        [{ type: NAMESPACES, key: WEB }, 'full'],
        [{ type: { plural: 'nothings', group: 'apps' }, key: WEB }, 'full'],
        [{ type: { plural: 'pods', group: 'nowhere.org' }, key: WEB }, 'full'],
        [{ key: WEB }, 'full'],
        [{ type: { group: 'core' }, key: WEB }, 'full'],
        [{ type: { plural: 'pods' }, key: WEB }, 'full'],
        [{ type: PODS }, 'full'],
        [{ type: PODS, key: { namespace: 'shop' } }, 'full'],
        [{ type: PODS, key: WEB }, 'objects'],
        [{ type: SETS, key: WEB }, 'objects'],
        [{ type: NAMESPACES, key: { name: 'shop' } }, 'objects'],
      ]
      const faults: string[] = []
      for (const [reference, who] of refusals) {
        const { our, their, title } = await ask(pair, reference, who)
        if (our.code === '' || our.code !== their.code) faults.push(title)
      }
      expect(faults).toEqual([])
    },
  )
}

function idsOf({ message }: Outcome): readonly string[] {
  const svids = (message?.svids ?? []) as readonly { readonly spiffe_id: string }[]
  return svids.map(({ spiffe_id }) => spiffe_id).sort()
}
