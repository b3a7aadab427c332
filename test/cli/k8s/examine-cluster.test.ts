/** The doctor of clusters, shown a healthy one and ones in which one thing is broken. */
import { expect, test } from 'vitest'
import { type Check, exitCodeOf } from '../../../cli/k8s/check.ts'
import { examineCluster } from '../../../cli/k8s/examine-cluster.ts'
import { toJson, toText } from '../../../cli/k8s/report.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { TEST_NOW } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import {
  AGENT_ID,
  agentJson,
  clusterSpiffeId,
  meta,
  NODE_UID,
  ownPod,
  ran,
  type ScriptedCluster,
  scriptedCluster,
  workloadPod,
} from './scripted-cluster.ts'

const examine = (cluster: ScriptedCluster, namespace?: string) =>
  examineCluster({ cluster, namespace, run: cluster.run, clock: new FakeClock(TEST_NOW) })

const findingsOf = (checks: readonly Check[]) =>
  checks.flatMap(({ name, findings, unexamined }) => [
    ...findings.map(
      ({ severity, subject, problem }) => `${name}: ${severity}: ${subject}: ${problem}`,
    ),
    ...(unexamined === undefined ? [] : [`${name}: unknown: ${unexamined}`]),
  ])

test('a healthy cluster is no finding, and the exit code is 0', async () => {
  const checks = await examine(await scriptedCluster())
  expect(findingsOf(checks)).toEqual([])
  expect(exitCodeOf(checks)).toBe(0)
  expect(toText(checks)).toContain('\nNothing is wrong\n')
  expect(toJson(checks)).toMatchObject({ healthy: true })
})

test('it changes nothing: all that it posts are questions and one dry run', async () => {
  const cluster = await scriptedCluster()
  await examine(cluster)
  const posted = [...new Set(cluster.asked.filter((one) => !one.startsWith('GET ')))]
  expect(posted.toSorted()).toEqual([
    'POST /api/v1/namespaces/steeple/configmaps',
    'POST /apis/authentication.k8s.io/v1/selfsubjectreviews',
    'POST /apis/authorization.k8s.io/v1/subjectaccessreviews',
  ])
})

type Break = (cluster: ScriptedCluster) => void

const dataOf = (cluster: ScriptedCluster, name: string) => {
  const object = cluster.objects.get(`/api/v1/namespaces/steeple/configmaps/${name}`) ?? {}
  return object.data as Record<string, string> // of the manifests
}
const setData = (cluster: ScriptedCluster, name: string, data: Record<string, string>) =>
  cluster.objects.set(`/api/v1/namespaces/steeple/configmaps/${name}`, { data })
const editConfig = (cluster: ScriptedCluster, name: string, from: string, to: string) => {
  const [[key = '', text = ''] = []] = Object.entries(dataOf(cluster, name))
  if (!text.includes(from)) throw new Error(`${name} has no ${from}`)
  setData(cluster, name, { [key]: text.replace(from, to) })
}
const waiting = (reason: string, message: string) => ({
  conditions: [{ type: 'Ready', status: 'False' }],
  containerStatuses: [{ state: { waiting: { reason, message } } }],
})

const BROKEN: readonly (readonly [string, Break, RegExp])[] = [
  [
    'a right of the server that is missing',
    ({ forbidden }) => forbidden.add('create tokenreviews'),
    /^permissions: problem: service account steeple:steeple-server: the server may not create tokenreviews\.authentication\.k8s\.io, which it needs to ask whose token/,
  ],
  [
    'a right of agents that is missing, also in its coarser form',
    ({ forbidden }) => forbidden.add('get nodes/pods').add('get nodes/proxy'),
    /^permissions: problem: service account steeple:steeple-agent: the agent may not get nodes\/pods/,
  ],
  [
    'a pod of the server that does not start',
    ({ lists }) =>
      lists.set('/api/v1/namespaces/steeple/pods', [
        ownPod('server', waiting('ImagePullBackOff', 'no such image')),
        ownPod('agent'),
      ]),
    /^server: problem: pod steeple\/steeple-server-0 on node1: ImagePullBackOff: no such image$/,
  ],
  [
    'a pod of the server that is on no node',
    ({ lists }) =>
      lists.set('/api/v1/namespaces/steeple/pods', [
        ownPod('server', {
          conditions: [{ type: 'PodScheduled', status: 'False', message: 'unbound claims' }],
        }),
        ownPod('agent'),
      ]),
    /^server: problem: .*: it is on no node: unbound claims$/,
  ],
  [
    'no pod of the agent',
    ({ lists }) => lists.set('/api/v1/namespaces/steeple/pods', [ownPod('server')]),
    /^agents: problem: DaemonSet steeple\/steeple-agent: it has 0 of 1 pods$/,
  ],
  [
    'a bundle that is not there',
    (cluster) => setData(cluster, 'steeple-bundle', {}),
    /^trust bundle: problem: ConfigMap steeple\/steeple-bundle: it has no key bundle\.crt: no new agent can start$/,
  ],
  [
    'a ConfigMap of the bundle that is gone',
    ({ objects }) => objects.delete('/api/v1/namespaces/steeple/configmaps/steeple-bundle'),
    /^trust bundle: problem: .*: it has no key bundle\.crt/,
  ],
  [
    'a bundle that is not PEM',
    (cluster) => setData(cluster, 'steeple-bundle', { 'bundle.crt': 'none' }),
    /^trust bundle: problem: .* holds no certificate in PEM$/,
  ],
  [
    'a bundle of garbage in PEM',
    (cluster) =>
      setData(cluster, 'steeple-bundle', {
        'bundle.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      }),
    /^trust bundle: problem: .* all authorities in its key bundle\.crt have ended$/,
  ],
  [
    'a pod that looks for the socket in another directory',
    ({ lists }) => lists.set('/api/v1/pods', [workloadPod({}, '/run/elsewhere')]),
    /^sockets: problem: pod shop\/cart, container app: it looks for the socket at \/run\/elsewhere\/spire-agent\.sock on its node, and agents put it at \/run\/spire\/agent-sockets\/spire-agent\.sock$/,
  ],
  [
    'a pod that mounts no socket',
    ({ lists }) => lists.set('/api/v1/pods', [workloadPod({ volumes: [] })]),
    /^sockets: problem: .*: it looks for the socket at \/spiffe\/spire-agent\.sock, where nothing is mounted$/,
  ],
  [
    'a pod with a volume of another CSI driver',
    ({ lists }) =>
      lists.set('/api/v1/pods', [
        workloadPod({ volumes: [{ name: 'spiffe', csi: { driver: 'csi.other.io' } }] }),
      ]),
    /^sockets: problem: .* CSI driver csi\.other\.io, expected csi\.spiffe\.io$/,
  ],
  [
    'a socket that agents keep to themselves',
    (cluster) => editConfig(cluster, 'steeple-agent', '/run/spire/agent-sockets/', '/tmp/other/'),
    /^sockets: problem: DaemonSet steeple\/steeple-agent: its socket_path .* is in its own file system: no other pod can reach it$/,
  ],
  [
    'an agent of another cluster',
    (cluster) => editConfig(cluster, 'steeple-agent', '"cluster": "cluster"', '"cluster": "other"'),
    /^connection: problem: .* agents say that they are of cluster other, and the server knows cluster$/,
  ],
  [
    'a service account that the server does not take',
    (cluster) => editConfig(cluster, 'steeple-server', 'steeple:steeple-agent', 'steeple:somebody'),
    /^connection: problem: .* agents run as steeple:steeple-agent, and the server takes agents of steeple:somebody$/,
  ],
  [
    'another trust domain',
    (cluster) => editConfig(cluster, 'steeple-agent', 'example.org', 'example.com'),
    /^connection: problem: .* agents are of trust domain example\.com, the server of example\.org$/,
  ],
  [
    'a Service with nobody behind it',
    ({ lists }) => lists.set('/apis/discovery.k8s.io/v1/namespaces/steeple/endpointslices', []),
    /^connection: problem: .* agents connect to Service steeple\/steeple-server, behind which nobody is ready$/,
  ],
  [
    'a configuration with a mistake',
    (cluster) => editConfig(cluster, 'steeple-server', '"ca_ttl"', '"ca_tll"'),
    /^configuration: problem: configuration: .*ca_tll/,
  ],
  [
    'the clock of a node that is ahead',
    ({ lists }) =>
      lists.set('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', [
        {
          metadata: meta('node1'),
          spec: { renewTime: new Date(TEST_NOW.getTime() + 60_000).toISOString() },
        },
      ]),
    /^clocks: problem: clock of node node1: it is 59 s ahead of that of the API server$/,
  ],
  [
    'a node that has not been heard of',
    ({ lists }) =>
      lists.set('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', [
        {
          metadata: meta('node1'),
          spec: { renewTime: new Date(TEST_NOW.getTime() - 120_000).toISOString() },
        },
      ]),
    /^clocks: warning: clock of node node1: its kubelet renewed its lease at .*: it is away, or its clock is behind$/,
  ],
  [
    'our own clock that is wrong',
    (cluster) => {
      cluster.time = new Date(TEST_NOW.getTime() - 45_000)
    },
    /^clocks: warning: clock of this machine: it is 4[45] s away from that of the API server$/,
  ],
  [
    'an agent that may not ask its kubelet',
    ({ printed }) =>
      printed.set(
        'why',
        ran({ findings: [{ attestor: 'k8s', error: 'Forbidden', selectors: [] }] }),
      ),
    /^kubelets: problem: agent on node node1: it does not know its own pod: Forbidden$/,
  ],
  [
    'an agent that takes no process for a pod',
    ({ printed }) =>
      printed.set('why', ran({ findings: [{ attestor: 'k8s', error: '', selectors: [] }] })),
    /^kubelets: problem: .*: it does not take its own pod for one$/,
  ],
  [
    'a node that is not ready',
    ({ lists }) => {
      const conditions = [{ type: 'Ready', status: 'False', message: 'no network' }]
      lists.set('/api/v1/nodes', [
        { metadata: meta('node1', '', NODE_UID), status: { conditions } },
      ])
    },
    /^kubelets: problem: node node1: it is not ready: no network$/,
  ],
  [
    'a node whose agent has not attested',
    ({ printed }) => printed.set('server agent list', ran({ agents: [] })),
    /^nodes: problem: node node1: its agent, pod steeple-agent-0, has not attested$/,
  ],
  [
    'a node whose agent is banned',
    ({ printed }) =>
      printed.set('server agent list', ran({ agents: [agentJson(AGENT_ID, { banned: true })] })),
    /^nodes: problem: node node1: its agent is banned$/,
  ],
  [
    'a node whose agent has let its SVID end',
    ({ printed }) =>
      printed.set(
        'server agent list',
        ran({ agents: [agentJson(AGENT_ID, { x509svid_expires_at: '1' })] }),
      ),
    /^nodes: problem: node node1: the SVID of its agent ended at 1970/,
  ],
  [
    'an agent of a node that is gone',
    ({ printed }) => {
      const gone = AGENT_ID.replace(NODE_UID, 'gone')
      printed.set('server agent list', ran({ agents: [agentJson(AGENT_ID), agentJson(gone)] }))
    },
    /^nodes: warning: agent .*\/gone: its node is no longer in the cluster$/,
  ],
  [
    'a pod that the server has not registered',
    ({ printed }) => printed.set('server entry show', ran({ entries: [] })),
    /^identities: problem: pod shop\/cart, by ClusterSPIFFEID by-account: the server has no entry spiffe:\/\/example\.org\/ns\/shop\/sa\/cart for it$/,
  ],
  [
    'a pod for which a template fails',
    ({ lists }) =>
      lists.set('/apis/spire.spiffe.io/v1alpha1/clusterspiffeids', [
        clusterSpiffeId('spiffe://{{ .TrustDomain }}/{{ .PodMeta.Labels.absent }}'),
      ]),
    /^identities: problem: pod shop\/cart, by ClusterSPIFFEID by-account: it gets no entry: /,
  ],
  [
    'a ClusterSPIFFEID that nobody can read',
    ({ lists }) =>
      lists.set('/apis/spire.spiffe.io/v1alpha1/clusterspiffeids', [clusterSpiffeId('{{ .No')]),
    /^identities: problem: ClusterSPIFFEID by-account: it registers nothing: /,
  ],
  [
    'a pod whose entry is for an agent that is not there',
    ({ printed }) => printed.set('server agent list', ran({ agents: [] })),
    /^identities: problem: pod shop\/cart, .*: its entry is for the agent .*, which is not attested$/,
  ],
  [
    'a pod that is registered and mounts no socket',
    ({ lists }) => lists.set('/api/v1/pods', [workloadPod({ containers: [], volumes: [] })]),
    /^identities: warning: pod shop\/cart, .*: it mounts no socket of the Workload API, and cannot ask for its identity$/,
  ],
  [
    'a pod that is on no node yet',
    ({ lists }) => lists.set('/api/v1/pods', [workloadPod({ nodeName: '' })]),
    /^identities: warning: pod shop\/cart, .*: it is on no node yet$/,
  ],
]

test.for(BROKEN)('finds %s', async ([, breakIt, expected]) => {
  const cluster = await scriptedCluster()
  breakIt(cluster)
  const checks = await examine(cluster)
  expect(findingsOf(checks)).toContainEqual(expect.stringMatching(expected))
  const isWarning = / warning: /.test(expected.source)
  if (!isWarning) expect(exitCodeOf(checks)).toBe(2)
})

test('what the cluster refuses to show is said of that alone, with exit code 1', async () => {
  const cluster = await scriptedCluster()
  const refusal = new IdentityError('NOT_AUTHORIZED', 'nodes is forbidden')
  cluster.lists.set('/api/v1/nodes', refusal)
  const checks = await examine(cluster)
  expect(findingsOf(checks)).toEqual([
    'kubelets: unknown: nodes is forbidden',
    'nodes: unknown: nodes is forbidden',
    'identities: unknown: nodes is forbidden',
  ])
  expect(exitCodeOf(checks)).toBe(1)
  expect(toText(checks)).toContain('unknown  nodes')
  expect(toJson(checks)).toMatchObject({ healthy: false })
})

test.for([
  ['the CSI driver', { csi: { driver: 'csi.spiffe.io' } }],
  ['a certificate by way of the kubelet', { projected: { sources: [{ podCertificate: {} }] } }],
] as const)('a pod that gets its identity by %s is no finding', async ([, volume]) => {
  const cluster = await scriptedCluster()
  const pod = workloadPod({ containers: [], volumes: [{ name: 'identity', ...volume }] })
  cluster.lists.set('/api/v1/pods', [pod])
  expect(findingsOf(await examine(cluster))).toEqual([])
})

test('what a workload chose steers no terminal', async () => {
  const cluster = await scriptedCluster()
  const value = 'unix:///spiffe/\u001b[2J\u202egnp.sock'
  const containers = [{ name: 'app', env: [{ name: 'SPIFFE_ENDPOINT_SOCKET', value }] }]
  cluster.lists.set('/api/v1/pods', [workloadPod({ containers })])
  const text = toText(await examine(cluster))
  expect(text).toContain('at /spiffe/\\u{1b}[2J\\u{202e}gnp.sock')
  for (const character of ['\u001b', '\u202e']) expect(text).not.toContain(character)
})

test('a problem weighs more than what could not be looked at', async () => {
  const cluster = await scriptedCluster()
  cluster.lists.set('/api/v1/nodes', new IdentityError('NOT_AUTHORIZED', 'no'))
  cluster.forbidden.add('create tokenreviews')
  expect(exitCodeOf(await examine(cluster))).toBe(2)
})

test('a cluster without Steeple is a failure that says what was looked for', async () => {
  const cluster = await scriptedCluster()
  cluster.lists.set('/apis/apps/v1/statefulsets', [])
  await expect(examine(cluster)).rejects.toThrow(
    'found no StatefulSet with the labels app.kubernetes.io/name=steeple,app.kubernetes.io/component=server: is the chart installed here?',
  )
})

test('of two installations one has to be named', async () => {
  const cluster = await scriptedCluster()
  const [one] = cluster.lists.get('/apis/apps/v1/statefulsets') as readonly Record<
    string,
    unknown
  >[]
  cluster.lists.set('/apis/apps/v1/statefulsets', [one ?? {}, one ?? {}])
  await expect(examine(cluster)).rejects.toThrow(
    'in namespaces steeple, steeple: name one by -namespace',
  )
})

test('of many findings that are alike the first are told, and how many more there are', async () => {
  const cluster = await scriptedCluster()
  const agents = Array.from({ length: 50 }, (_, index) =>
    agentJson(AGENT_ID.replace(NODE_UID, `gone-${index}`)),
  )
  cluster.printed.set('server agent list', ran({ agents: [agentJson(AGENT_ID), ...agents] }))
  const findings = findingsOf(await examine(cluster))
  expect(findings).toHaveLength(21)
  expect(findings.at(-1)).toBe('nodes: warning: more: 30 more are alike')
})
