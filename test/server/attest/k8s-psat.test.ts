/** k8s_psat as a server judges it: each of its steps, and every answer of a cluster that must lead to a refusal. */
import { expect, test } from 'vitest'
import type { ClusterRequest } from '../../../kubernetes/cluster.ts'
import type { ClusterOptions } from '../../../kubernetes/open-cluster.ts'
import { refusal } from '../../../kubernetes/status.ts'
import { writeK8sPsatPayload } from '../../../proto/k8s-psat.ts'
import { type K8sPsatCluster, k8sPsatAttestor } from '../../../server/attest/k8s-psat.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

const trustDomain = parseTrustDomain('example.org')
const main: K8sPsatCluster = {
  name: 'main',
  serviceAccounts: ['spire:agent'],
  audiences: ['spire-server'],
  kubeconfig: '/main',
  allowedNodeLabelKeys: ['zone'],
  allowedPodLabelKeys: ['app'],
  usesPodUid: false,
}

const extra = {
  'authentication.kubernetes.io/pod-name': ['agent-x'],
  'authentication.kubernetes.io/pod-uid': ['pod-1'],
}
const user = { username: 'system:serviceaccount:spire:agent', uid: 'sa-1', groups: [], extra }
const status = { authenticated: true, audiences: ['spire-server'], user }
const meta = (name: string, uid: string, labels: object) => ({
  ...{ name, uid, resourceVersion: '1', labels },
})
const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews'
const POD = '/api/v1/namespaces/spire/pods/agent-x'
const NODE = '/api/v1/nodes/node1'
const right: Readonly<Record<string, unknown>> = {
  [REVIEW]: { status },
  [POD]: {
    metadata: meta('agent-x', 'pod-1', { app: 'agent', tier: 'x' }),
    spec: { nodeName: 'node1' },
    status: { hostIP: '192.0.2.1' },
  },
  [NODE]: { metadata: meta('node1', 'node-1', { zone: 'a', disk: 'ssd' }) },
}

/** @param answers by path, instead of the right ones; an error is thrown */
async function attest(
  answers: Readonly<Record<string, unknown>> = {},
  clusters: readonly K8sPsatCluster[] = [main],
  cluster = 'main',
) {
  const seen: string[] = []
  let open = 0
  const openCluster = async ({ kubeconfig }: ClusterOptions) => {
    if (kubeconfig === '/lost') {
      throw new IdentityError('CONFIG_INVALID', 'cannot use the kubeconfig')
    }
    seen.push(`open ${kubeconfig}`)
    open += 1
    return {
      server: 'https://k8s',
      async request({ path }: ClusterRequest) {
        seen.push(path)
        const answer = { ...right, ...answers }[path]
        if (answer instanceof Error) throw answer
        return answer
      },
      watch: () => expect.unreachable('nothing is watched'),
      [Symbol.dispose]: () => {
        open -= 1
      },
    }
  }
  const attestor = k8sPsatAttestor({ clusters }, { trustDomain, openCluster })
  const attesting = attestor.attest(
    writeK8sPsatPayload({ cluster, token: 't0ken' }),
    () => expect.unreachable('a token is never challenged'),
    '127.0.0.1',
  )
  const attested = await attesting.finally(() => expect(open).toBe(0))
  return { attested, seen }
}

test('a token of an agent’s pod stands for the node that the pod runs on', async () => {
  const { attested, seen } = await attest()
  expect(seen).toEqual(['open /main', REVIEW, POD, NODE])
  expect(attested).toEqual({
    id: 'spiffe://example.org/spire/agent/k8s_psat/main/node-1',
    canReattest: true,
    selectors: [
      'k8s_psat:cluster:main',
      'k8s_psat:agent_ns:spire',
      'k8s_psat:agent_sa:agent',
      'k8s_psat:agent_pod_name:agent-x',
      'k8s_psat:agent_pod_uid:pod-1',
      'k8s_psat:agent_node_ip:192.0.2.1',
      'k8s_psat:agent_node_name:node1',
      'k8s_psat:agent_node_uid:node-1',
      'k8s_psat:agent_node_label:zone:a',
      'k8s_psat:agent_pod_label:app:agent',
    ],
  })
})

test('with use_pod_uid_for_agent_id each pod is an agent of its own', async () => {
  const { attested } = await attest({}, [{ ...main, usesPodUid: true }])
  expect(attested.id).toBe('spiffe://example.org/spire/agent/k8s_psat/main/pod/pod-1')
})

test('labels are told only by leave, whatever they are called', async () => {
  const bare = [{ ...main, allowedNodeLabelKeys: [], allowedPodLabelKeys: [] }]
  expect((await attest({}, bare)).attested.selectors).toHaveLength(8)
  const odd = [
    { ...main, allowedNodeLabelKeys: ['constructor'], allowedPodLabelKeys: ['toString'] },
  ]
  expect((await attest({}, odd)).attested.selectors).toHaveLength(8)
})

test('of several clusters, the one that the agent names is asked', async () => {
  const other = { ...main, name: 'other', kubeconfig: '/other' }
  const lost = { ...main, name: 'lost', kubeconfig: '/lost' }
  const { attested, seen } = await attest({}, [lost, main, other], 'other')
  expect(seen[0]).toBe('open /other')
  expect(attested.id).toBe('spiffe://example.org/spire/agent/k8s_psat/other/node-1')
})

const withUser = (changes: object) => ({
  [REVIEW]: { status: { ...status, user: { ...user, ...changes } } },
})
const withExtra = (changes: object) => withUser({ extra: { ...extra, ...changes } })
const NAME = 'authentication.kubernetes.io/pod-name'
const UID = 'authentication.kubernetes.io/pod-uid'
const notFound = (kind: string) =>
  refusal('GET', 404, JSON.stringify({ message: `${kind} "x" not found` }))
const cannotReview = 'unable to validate token with TokenReview API for cluster "main": '

test.for<readonly [string, Readonly<Record<string, unknown>>, string, string]>([
  [
    'the token is unknown',
    { [REVIEW]: { status: { authenticated: false } } },
    'NOT_AUTHORIZED',
    'token not authenticated according to TokenReview API for cluster "main"',
  ],
  [
    'the token has expired',
    { [REVIEW]: { status: { error: 'it has expired' } } },
    'INTERNAL',
    `${cannotReview}token review API response contains an error: it has expired`,
  ],
  [
    'the token was made for somebody else',
    { [REVIEW]: { status: { ...status, audiences: ['vault'] } } },
    'INTERNAL',
    'the token is for none of the audiences ["spire-server"], but for ["vault"]',
  ],
  [
    'tokens may not be reviewed',
    { [REVIEW]: refusal('POST', 403, JSON.stringify({ message: 'it is forbidden' })) },
    'INTERNAL',
    `${cannotReview}unable to query token review API: it is forbidden`,
  ],
  [
    'the API server is away',
    { [REVIEW]: new IdentityError('UNAVAILABLE', 'no answer') },
    'INTERNAL',
    `${cannotReview}unable to query token review API: no answer`,
  ],
  [
    'the token is of a person',
    withUser({ username: 'admin' }),
    'INTERNAL',
    'fail to parse username from token review status for cluster "main": unexpected username format: admin',
  ],
  [
    'the token is of nobody',
    withUser({ username: '' }),
    'INTERNAL',
    'fail to parse username from token review status for cluster "main": empty username',
  ],
  [
    'the service account is another',
    withUser({ username: 'system:serviceaccount:shop:agent' }),
    'NOT_AUTHORIZED',
    '"shop:agent" is not an allowed service account for cluster "main"',
  ],
  ['the token is bound to no pod', withUser({ extra: {} }), 'INTERNAL', 'missing pod name'],
  [
    'the token has no pod UID',
    withUser({ extra: { [NAME]: ['agent-x'] } }),
    'INTERNAL',
    'missing pod UID',
  ],
  [
    'the token has two pod names',
    withExtra({ [NAME]: ['agent-x', 'y'] }),
    'INTERNAL',
    'expected 1 name but got: 2',
  ],
  [
    'the token has two pod UIDs',
    withExtra({ [UID]: ['pod-1', 'z'] }),
    'INTERNAL',
    'expected 1 UID but got: 2',
  ],
  ['the pod name is none', withExtra({ [NAME]: [''] }), 'INTERNAL', 'pod name is empty'],
  ['the pod UID is none', withExtra({ [UID]: [''] }), 'INTERNAL', 'pod UID is empty'],
  [
    'the pod is gone',
    { [POD]: notFound('pods') },
    'INTERNAL',
    'fail to get pod from k8s API server for cluster "main": unable to query pods API: pods "x" not found',
  ],
  [
    'another pod has taken its name',
    { [POD]: { metadata: meta('agent-x', 'pod-2', {}), spec: { nodeName: 'node1' } } },
    'NOT_AUTHORIZED',
    'pod spire/agent-x has UID pod-2, but the token is of the one with UID pod-1',
  ],
  ['the pod is nothing', { [POD]: {} }, 'NOT_AUTHORIZED', 'has UID (none)'],
  [
    'the pod is on no node yet',
    { [POD]: { metadata: meta('agent-x', 'pod-1', {}), spec: {} } },
    'INTERNAL',
    'fail to get node from k8s API server for cluster "main": empty node name',
  ],
  [
    'the node is gone',
    { [NODE]: notFound('nodes') },
    'INTERNAL',
    'unable to query nodes API: nodes "x" not found',
  ],
  ['the node has no UID', { [NODE]: {} }, 'INTERNAL', 'node UID is empty for cluster "main"'],
  [
    'the node’s UID is no part of an ID',
    { [NODE]: { metadata: meta('node1', '../../server', {}) } },
    'SPIFFE_ID_INVALID',
    'path cannot contain dot segments',
  ],
])('a node is refused when %s', async ([, answers, code, message]) => {
  const refused = attest(answers)
  await expect(refused).rejects.toMatchObject({
    code,
    message: expect.stringMatching(/^nodeattestor\(k8s_psat\): /),
  })
  await expect(refused).rejects.toThrow(message)
  await expect(refused).rejects.not.toThrow('t0ken')
})

test.for([
  ['is not configured', 'other', 'REQUEST_INVALID', 'not configured for cluster "other"'],
  ['is named like what objects have', 'constructor', 'REQUEST_INVALID', 'not configured'],
  [
    'has no kubeconfig',
    'lost',
    'INTERNAL',
    'for cluster "lost": unable to get clientset: cannot use',
  ],
] as const)('a node is refused when its cluster %s', async ([, cluster, code, message]) => {
  const clusters = [main, { ...main, name: 'lost', kubeconfig: '/lost' }]
  await expect(attest({}, clusters, cluster)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  })
})

test('a pod of another service account is not looked up', async () => {
  const other = withUser({ username: 'system:serviceaccount:shop:agent' })
  const looked = { ...other, [POD]: new Error('it was looked up') }
  await expect(attest(looked)).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
})
