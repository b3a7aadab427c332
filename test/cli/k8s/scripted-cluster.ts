/**
 * A cluster in memory with the objects of the plain manifests in it, running: what the doctor is shown in its tests. Each
 * part can be changed before it is asked.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Cluster, ClusterRequest } from '../../../kubernetes/cluster.ts'
import { isRecord, recordAt, textAt } from '../../../kubernetes/object.ts'
import type { RanInPod, RunInPod } from '../../../kubernetes/run-in-pod.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'

type Json = Record<string, unknown>

const MANIFESTS = join(import.meta.dirname, '../../../deploy/manifests/steeple.yaml')

export const NODE_UID = '11111111-1111-1111-1111-111111111111'
export const POD_UID = '22222222-2222-2222-2222-222222222222'
export const AGENT_ID = `spiffe://example.org/spire/agent/k8s_psat/cluster/${NODE_UID}`
const SOCKET_DIR = '/run/spire/agent-sockets'

export interface ScriptedCluster extends Cluster {
  /** Lists by path; a test may put another in place, or an error. */
  readonly lists: Map<string, readonly Json[] | IdentityError>
  /** Objects by path. */
  readonly objects: Map<string, Json>
  /** What service accounts may not do, as `verb resource`. */
  readonly forbidden: Set<string>
  /** What was asked of the API server, as `METHOD path`. */
  readonly asked: string[]
  readonly run: RunInPod
  /** What `steeple server …` and the like print in a pod, by their first three words after the program. */
  readonly printed: Map<string, RanInPod>
  time: Date
}

export async function scriptedCluster(): Promise<ScriptedCluster> {
  const { certificate } = await testCa()
  const pem = toPem('CERTIFICATE', certificate)
  const lists = new Map<string, readonly Json[] | IdentityError>()
  const objects = new Map<string, Json>()
  const forbidden = new Set<string>()
  const printed = new Map<string, RanInPod>()
  const asked: string[] = []
  fill(lists, objects, pem)
  printed.set('server agent list', ran({ agents: [agentJson(AGENT_ID)] }))
  printed.set('server entry show', ran({ entries: [entryJson()] }))
  printed.set('server bundle show', { code: 0, stdout: pem, stderr: '' })
  const known = { attestor: 'k8s', error: '', selectors: [`k8s:pod-uid:${POD_UID}`] }
  printed.set('why', ran({ findings: [known] }))
  const cluster: ScriptedCluster = {
    ...{ lists, objects, forbidden, printed, asked, time: TEST_NOW },
    server: 'https://cluster.test',
    async request(request) {
      asked.push(`${request.method} ${request.path}`)
      if (request.method === 'POST') return posted(cluster, request)
      const object = objects.get(request.path)
      if (object !== undefined) return object
      const items = lists.get(request.path) ?? absent(request)
      if (items instanceof IdentityError) throw items
      return {
        metadata: { resourceVersion: '1' },
        items: items.filter((item) => isSelected(item, request)),
      }
    },
    watch: () => Promise.reject(new Error('the doctor watches nothing')),
    async run(_, [, ...words]) {
      const key = words[0] === '-e' ? 'why' : words.slice(0, 3).join(' ')
      return printed.get(key) ?? { code: 1, stdout: '', stderr: `no answer to ${key}` }
    },
    [Symbol.dispose]() {},
  }
  return cluster
}

export const ran = (answer: object): RanInPod => ({
  ...{ code: 0, stderr: '' },
  stdout: JSON.stringify(answer),
})

function fill(lists: ScriptedCluster['lists'], objects: ScriptedCluster['objects'], pem: string) {
  const documents: Json[] = parseAllDocuments(readFileSync(MANIFESTS, 'utf8')).map((one) =>
    one.toJS(),
  )
  const ofKind = (kind: string, status: Json): readonly Json[] =>
    documents.filter((one) => one.kind === kind).map((one) => ({ ...stored(one), status }))
  lists.set('/apis/apps/v1/statefulsets', ofKind('StatefulSet', { readyReplicas: 1 }))
  lists.set(
    '/apis/apps/v1/daemonsets',
    ofKind('DaemonSet', { desiredNumberScheduled: 1, numberReady: 1 }),
  )
  for (const one of documents.filter(({ kind }) => kind === 'ConfigMap')) {
    const name = textAt(recordAt(one, 'metadata'), 'name')
    const data = name === 'steeple-bundle' ? { 'bundle.crt': pem } : one.data
    objects.set(`/api/v1/namespaces/steeple/configmaps/${name}`, { ...one, data })
  }
  lists.set('/api/v1/namespaces/steeple/pods', [ownPod('server'), ownPod('agent')])
  lists.set('/api/v1/namespaces/steeple/events', [])
  lists.set('/api/v1/nodes', [
    { metadata: meta('node1', '', NODE_UID), spec: {}, status: { conditions: [READY] } },
  ])
  lists.set('/api/v1/pods', [workloadPod()])
  lists.set('/api/v1/namespaces', [{ metadata: meta('shop', '', 'ns-shop', { team: 'shop' }) }])
  lists.set('/apis/spire.spiffe.io/v1alpha1/clusterspiffeids', [clusterSpiffeId()])
  lists.set('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', [
    { metadata: meta('node1', 'kube-node-lease'), spec: { renewTime: TEST_NOW.toISOString() } },
  ])
  lists.set('/apis/discovery.k8s.io/v1/namespaces/steeple/endpointslices', [
    {
      metadata: meta('s', 'steeple', 's', { 'kubernetes.io/service-name': 'steeple-server' }),
      endpoints: [{ conditions: { ready: true } }],
    },
  ])
}

const READY = { type: 'Ready', status: 'True' }

export function meta(name: string, namespace = '', uid = `uid-${name}`, labels: Json = {}): Json {
  return { name, namespace, uid, resourceVersion: '1', labels }
}

function stored(object: Json): Json {
  const metadata = recordAt(object, 'metadata')
  return { ...object, metadata: { ...metadata, uid: `uid-${metadata.name}`, resourceVersion: '1' } }
}

export function ownPod(
  component: 'server' | 'agent',
  status: Json = { conditions: [READY] },
): Json {
  return {
    metadata: meta(`steeple-${component}-0`, 'steeple', `uid-${component}`, {
      'app.kubernetes.io/name': 'steeple',
      'app.kubernetes.io/instance': 'steeple',
      'app.kubernetes.io/component': component,
    }),
    ...{ spec: { nodeName: 'node1' }, status },
  }
}

/** In namespace shop; finds the socket. @param more laid over its spec */
export function workloadPod(more: Json = {}, socketDir = SOCKET_DIR): Json {
  return {
    metadata: meta('cart', 'shop', POD_UID, { app: 'cart' }),
    spec: {
      ...{ nodeName: 'node1', serviceAccountName: 'cart' },
      containers: [
        {
          name: 'app',
          env: [{ name: 'SPIFFE_ENDPOINT_SOCKET', value: 'unix:///spiffe/spire-agent.sock' }],
          volumeMounts: [{ name: 'spiffe', mountPath: '/spiffe' }],
        },
      ],
      volumes: [{ name: 'spiffe', hostPath: { path: socketDir } }],
      ...more,
    },
    status: { phase: 'Running' },
  }
}

export function clusterSpiffeId(
  template = 'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}',
): Json {
  return { metadata: meta('by-account'), spec: { spiffeIDTemplate: template } }
}

export function agentJson(id: string, more: Json = {}): Json {
  const { host, pathname } = new URL(id)
  return {
    ...{ id: { trust_domain: host, path: pathname }, attestation_type: 'k8s_psat', banned: false },
    x509svid_expires_at: String(Math.floor(TEST_NOW.getTime() / 1000) + 3600),
    ...more,
  }
}

export function entryJson(): Json {
  const id = (path: string) => ({ trust_domain: 'example.org', path })
  return {
    spiffe_id: id('/ns/shop/sa/cart'),
    parent_id: id(`/spire/agent/k8s_psat/cluster/${NODE_UID}`),
    selectors: [{ type: 'k8s', value: `pod-uid:${POD_UID}` }],
  }
}

function posted({ forbidden, time }: ScriptedCluster, { path, body }: ClusterRequest): unknown {
  if (path.endsWith('subjectaccessreviews')) {
    const { verb, resource, subresource } = recordAt(recordAt(body, 'spec'), 'resourceAttributes')
    const what = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`
    return { status: { allowed: !forbidden.has(what) } }
  }
  if (path.endsWith('selfsubjectreviews')) return { status: { userInfo: { username: 'admin' } } }
  return { metadata: { creationTimestamp: time.toISOString() } }
}

function isSelected(item: Json, { query }: ClusterRequest): boolean {
  const labels = recordAt(item.metadata, 'labels')
  return (query?.labelSelector ?? '')
    .split(',')
    .filter((one) => one !== '')
    .every((one) => {
      const [key = '', value] = one.split('=')
      return isRecord(labels) && labels[key] === value
    })
}

function absent({ path }: ClusterRequest): IdentityError {
  return new IdentityError('NOT_FOUND', `the API server has no ${path}`)
}
