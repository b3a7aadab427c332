/**
 * PodCertificateRequests before a real API server, made as a kubelet makes them: what is signed is verified by OpenSSL,
 * what must not be signed is denied with its reason. Two servers share the work and never answer twice.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Server, startServer } from '../processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { run, until } from '../processes/process.ts'
import { API_SERVER, interop, lacking } from './interop.ts'
import {
  createPod,
  createRequest,
  KEY_TYPES,
  type PodOptions,
  type RequestedKeyType,
  type RequestOptions,
  statusOfRequest,
  stubCsr,
} from './kubernetes/pod-certificate-request.ts'
import { type Rule, restrictedKubeconfig } from './kubernetes/restricted-kubeconfig.ts'

const NEEDS = [...API_SERVER, 'spire-server'] as const
const SIGNER = 'example.org/spiffe'

const GROUP = ['certificates.k8s.io']

/** All that a signer needs; every test but that of the template runs with it. */
const RIGHTS: readonly Rule[] = [
  { apiGroups: GROUP, resources: ['podcertificaterequests'], verbs: ['list', 'watch'] },
  { apiGroups: GROUP, resources: ['podcertificaterequests/status'], verbs: ['patch'] },
  { apiGroups: GROUP, resources: ['signers'], verbs: ['sign'], resourceNames: [SIGNER] },
  { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get'] },
]

let kubernetes: Kubernetes
let signerKubeconfig: string
let server: Server
let nodeUid: string
let agentId: string
beforeAll(async () => {
  if (lacking(NEEDS) !== undefined) return
  kubernetes = await startKubernetes()
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } }
  const words = ['create', '-f', '-', '-o', 'jsonpath={.metadata.uid}']
  nodeUid = await kubernetes.mustKubectl(words, JSON.stringify(node))
  agentId = `spiffe://example.org/spire/agent/k8s_psat/demo/${nodeUid}`
  for (const name of ['shop', 'bank']) await kubernetes.mustKubectl(['create', 'namespace', name])
  signerKubeconfig = await restrictedKubeconfig(kubernetes, 'signs', RIGHTS)
  server = await startServer('steeple', { blocks: signer('entry_wait = "2s"') })
}, 120_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await kubernetes?.[Symbol.asyncDispose]()
})

const signer = (more = '') => `pod_certificates "demo" {
  signer_name = "${SIGNER}"  kube_config_file = "${signerKubeconfig}"  ${more} }`

/** @returns the entry's ID */
async function register(at: Server, id: string, ...more: readonly string[]): Promise<string> {
  const words = ['entry', 'create', '-spiffeID', `spiffe://example.org/${id}`, ...more]
  const { code, stdout, stderr } = await at.cli('spire', ...words)
  if (code !== 0) throw new Error(`${stdout}${stderr}`)
  return /Entry ID +: (\S+)/.exec(stdout)?.[1] ?? ''
}

let count = 0

interface Asked extends Partial<Omit<RequestOptions, 'pod' | 'csr'>> {
  readonly keyType?: RequestedKeyType
  readonly pod?: PodOptions
  /** What the request says, where it is another than the pod's own. */
  readonly podUid?: string
}

/** A pod is made, a request for it, and the answer is waited for. */
async function ask({ keyType = 'ECDSAP256', pod, podUid, ...more }: Asked = {}) {
  count += 1
  const [name, namespace] = [`p${count}`, more.namespace ?? 'shop']
  const uid = await createPod(kubernetes, namespace, name, pod)
  const request = await createRequest(kubernetes, {
    ...{ signerName: SIGNER, nodeUid, namespace },
    ...(pod?.serviceAccount === undefined ? {} : { serviceAccount: pod.serviceAccount }),
    ...more,
    pod: { name, uid: podUid ?? uid },
    csr: await stubCsr(kubernetes.dir, name, keyType),
  })
  const status = () => statusOfRequest(kubernetes, namespace, request)
  const answered = () =>
    until(`an answer to ${request}`, async () => {
      const now = await status()
      return now.conditions === undefined ? undefined : now
    })
  return { name, namespace, request, uid, status, answered }
}

const reasonOf = async (asked: Asked) => {
  const { conditions, ...rest } = await (await ask(asked)).answered()
  expect(rest).toEqual({})
  const [condition, ...others] = conditions ?? []
  expect(others).toEqual([])
  expect(condition).toMatchObject({ type: 'Denied', status: 'True' })
  return { reason: condition?.reason, message: condition?.message ?? '' }
}

async function openssl(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('openssl', words)
  if (code !== 0) throw new Error(`openssl ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

interop('a pod whose entry allows it gets a certificate for every kind of key', NEEDS, async () => {
  const entry = ['-parentID', agentId, '-selector', 'k8s:ns:shop', '-selector', 'k8s:sa:cart']
  await register(server, 'cart', ...entry, '-dns', 'cart.shop.svc')
  const bundle = await server.bundleFile()
  for (const keyType of Object.keys(KEY_TYPES) as readonly RequestedKeyType[]) {
    const asked = await ask({ keyType, pod: { serviceAccount: 'cart' } })
    const { conditions, certificateChain = '', ...times } = await asked.answered()
    expect(conditions, JSON.stringify(conditions)).toMatchObject([
      { type: 'Issued', status: 'True', reason: 'Issued' },
    ])
    const chain = join(kubernetes.dir, `${asked.name}.pem`)
    writeFileSync(chain, certificateChain)
    expect(await openssl('verify', '-CAfile', bundle, '-untrusted', chain, chain)).toContain('OK')
    const text = await openssl('x509', '-in', chain, '-noout', '-text')
    expect(text).toContain('URI:spiffe://example.org/cart')
    expect(text).toContain('DNS:cart.shop.svc')
    // The private key is the one that the pod has.
    const own = await openssl('pkey', '-in', join(kubernetes.dir, `${asked.name}.key`), '-pubout')
    expect(await openssl('x509', '-in', chain, '-noout', '-pubkey')).toBe(own)
    const [from, until, refresh] = [times.notBefore, times.notAfter, times.beginRefreshAt].map(
      (time) => Date.parse(time ?? '') / 1000,
    )
    if (from === undefined || until === undefined || refresh === undefined) throw new Error('times')
    expect(until - from).toBe(3_610)
    expect(refresh - from).toBe(1_805)
    // The root is in the bundle, not in the chain.
    expect(certificateChain.match(/BEGIN/g)).toHaveLength(1)
  }
})

interop(
  'a certificate lives no longer than the pod, its entry and Kubernetes allow',
  NEEDS,
  async () => {
    const lifetimes = async (serviceAccount: string, maxExpirationSeconds: number) => {
      const more = { maxExpirationSeconds }
      const status = await (await ask({ pod: { serviceAccount }, more })).answered()
      return (Date.parse(status.notAfter ?? '') - Date.parse(status.notBefore ?? '')) / 1000
    }
    const entry = ['-parentID', agentId, '-selector', 'k8s:ns:shop', '-selector']
    await register(server, 'long', ...entry, 'k8s:sa:long', '-x509SVIDTTL', '14400')
    await register(server, 'short', ...entry, 'k8s:sa:short', '-x509SVIDTTL', '600')
    expect(await lifetimes('long', 3_600)).toBe(3_600)
    expect(await lifetimes('long', 7_200)).toBe(7_200)
    expect(await lifetimes('long', 86_400)).toBe(14_410)
    const { reason, message } = await reasonOf({ pod: { serviceAccount: 'short' } })
    expect(reason).toBe('LifetimeTooShort')
    expect(message).toMatch(
      /lets X509-SVIDs live for 600 s, but Kubernetes takes none of less than 3600 s/,
    )
  },
)

interop(
  'labels and node aliases count, and an entry that comes late is waited for',
  NEEDS,
  async () => {
    const alias = await register(
      server,
      'cluster/demo',
      ...['-node', '-selector', 'k8s_psat:cluster:demo'],
    )
    expect(alias).not.toBe('')
    const asked = await ask({ pod: { serviceAccount: 'late', labels: { app: 'late' } } })
    expect(await asked.status()).toEqual({})
    const parent = ['-parentID', 'spiffe://example.org/cluster/demo']
    await register(server, 'late', ...parent, '-selector', 'k8s:pod-label:app:late')
    expect((await asked.answered()).conditions).toMatchObject([{ type: 'Issued' }])
  },
)

interop('the pod’s author chooses among the entries that match, and no others', NEEDS, async () => {
  const entry = ['-parentID', agentId, '-selector', 'k8s:sa:many', '-hint']
  await register(server, 'many/internal', ...entry, 'internal')
  await register(server, 'many/external', ...entry, 'external')
  await register(
    server,
    'foreign',
    '-parentID',
    agentId,
    '-selector',
    'k8s:sa:foreign',
    '-hint',
    'theirs',
  )
  const with_ = (key: string, value: string): Asked => ({
    pod: { serviceAccount: 'many' },
    more: { unverifiedUserAnnotations: { [key]: value } },
  })
  const idOf = async (asked: Asked) => {
    const { certificateChain = '' } = await (await ask(asked)).answered()
    const file = join(kubernetes.dir, 'chosen.pem')
    writeFileSync(file, certificateChain)
    return /URI:(\S+)/.exec(await openssl('x509', '-in', file, '-noout', '-text'))?.[1]
  }
  expect(await idOf(with_('example.org/hint', 'external'))).toBe(
    'spiffe://example.org/many/external',
  )
  const id = 'spiffe://example.org/many/internal'
  expect(await idOf(with_('example.org/spiffe-id', id))).toBe(id)
  expect(await reasonOf(with_('example.org/hint', 'theirs'))).toMatchObject({
    reason: 'NoRegistrationEntry',
  })
  const foreign = await reasonOf(with_('example.org/spiffe-id', 'spiffe://example.org/foreign'))
  expect(foreign.reason).toBe('NoRegistrationEntry')
  const unknown = await reasonOf(with_('example.org/no-such', 'x'))
  expect(unknown.reason).toBe('InvalidUnverifiedUserAnnotations')
  expect(unknown.message).toMatch(/"example.org\/no-such" is not understood/)
})

interop('what is not borne out by the pod or by an entry is denied', NEEDS, async () => {
  const none = await reasonOf({ pod: { serviceAccount: 'nobody' } })
  expect(none.reason).toBe('NoRegistrationEntry')
  expect(none.message).toContain(`create one with parent ID ${agentId}`)
  expect(none.message).toContain('k8s:sa:nobody')
  // The right account in another namespace.
  expect(await reasonOf({ namespace: 'bank', pod: { serviceAccount: 'cart' } })).toMatchObject({
    reason: 'NoRegistrationEntry',
  })
  for (const [lie, why] of [
    [
      { podUid: '8ac7ee1e-43b1-4bd8-9d0e-5cf1a0d8a111' },
      /has UID .* but the request says 8ac7ee1e/,
    ],
    [{ serviceAccount: 'cart' }, /runs as default, but the request says cart/],
    [{ nodeUid: '8ac7ee1e-43b1-4bd8-9d0e-5cf1a0d8a222' }, /node node1 has UID .* but the request/],
    [{ more: { nodeName: 'node2' } }, /is on node node1, but the request says node2/],
    [{ more: { podName: 'ghost' } }, /the pod shop\/ghost is not there any more/],
  ] as const) {
    const { reason, message } = await reasonOf(lie)
    expect(reason).toBe('PodMismatch')
    expect(message).toMatch(why)
  }
  // Another signer's request is none of ours.
  const foreign = await ask({ signerName: 'other.example/spiffe', pod: { serviceAccount: 'cart' } })
  await reasonOf({ pod: { serviceAccount: 'nobody' } })
  expect(await foreign.status()).toEqual({})
})

interop(
  'two servers answer each request once, by the template of their configuration',
  NEEDS,
  async () => {
    const template = (id: string) => `pod_certificates "demo" {
    signer_name = "example.org/by-template"  kube_config_file = "${kubernetes.kubeconfig}"
    spiffe_id_template = "spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}/${id}" }`
    const started = ['one', 'two'].map((id) => startServer('steeple', { blocks: template(id) }))
    const [one, two] = await Promise.all(started)
    if (one === undefined || two === undefined) throw new Error('two were started')
    await using _one = one
    await using _two = two
    const requests = await Promise.all(
      Array.from({ length: 6 }, () =>
        ask({ signerName: 'example.org/by-template', pod: { serviceAccount: 'any' } }),
      ),
    )
    for (const { answered } of requests) {
      expect((await answered()).conditions).toMatchObject([{ type: 'Issued' }])
    }
    const printed = [one, two].map((each) => each.process().output()).join('')
    expect(printed.match(/PodCertificateRequest issued/g)).toHaveLength(requests.length)
    expect(printed).not.toContain('could not be answered')
  },
)
