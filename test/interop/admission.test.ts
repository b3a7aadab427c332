/**
 * The admission webhook as a real API server calls it: over TLS, with the caBundle that our server keeps in its webhook
 * configuration, by the manifests of spire-controller-manager.
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { type Server, startServer } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { until } from '../processes/process.ts'
import { apply, applyCrds, clusterSpiffeId, fieldOf } from './controller-objects.ts'
import { API_SERVER, interop, lacking } from './interop.ts'

const NEEDS = [...API_SERVER, 'spire-server'] as const
const NAME = 'spire-controller-manager-webhook'

let kubernetes: Kubernetes
let server: Server

beforeAll(async () => {
  if (lacking(NEEDS) !== undefined) return
  kubernetes = await startKubernetes()
  await applyCrds(kubernetes)
  const port = await freePort()
  server = await startServer('steeple', {
    settings: 'ca_ttl = "24h"',
    blocks: `controller_manager {
      cluster_name = "cluster-a"
      kube_config_file = "${kubernetes.kubeconfig}"
      leader_election { leader_elect = false }
      webhook { host = "127.0.0.1"  port = ${port} }
    }`,
  })
  // The API server runs on this machine and knows no Services: it calls by URL.
  const webhook = (kind: string, resources: string) => ({
    name: `v${kind}.kb.io`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    clientConfig: { url: `https://localhost:${port}/validate-spire-spiffe-io-v1alpha1-${kind}` },
    rules: [
      {
        apiGroups: ['spire.spiffe.io'],
        apiVersions: ['v1alpha1'],
        operations: ['CREATE', 'UPDATE'],
        resources: [resources],
      },
    ],
  })
  await apply(kubernetes, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      webhook('clusterspiffeid', 'clusterspiffeids'),
      webhook('clusterstaticentry', 'clusterstaticentries'),
      webhook('clusterfederatedtrustdomain', 'clusterfederatedtrustdomains'),
    ],
  })
  await until('the webhook to be called', async () => {
    const tried = clusterSpiffeId('tried', { spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/a' })
    const words = ['apply', '--dry-run=server', '-f', '-']
    return (await kubernetes.kubectl(words, JSON.stringify(tried))).code === 0
  })
}, 120_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await kubernetes?.[Symbol.asyncDispose]()
})

const resource = (kind: string, spec: object) => ({
  apiVersion: 'spire.spiffe.io/v1alpha1',
  kind,
  metadata: { name: 'checked' },
  spec,
})

const ID = 'spiffe://{{ .TrustDomain }}/a'
const ENTRY = {
  spiffeID: 'spiffe://example.org/a',
  parentID: 'spiffe://example.org/spire/agent/x509pop/a',
  selectors: ['unix:uid:1'],
}
const FEDERATED = {
  trustDomain: 'other.test',
  bundleEndpointURL: 'https://other.test/',
  bundleEndpointProfile: { type: 'https_web' },
}

const REFUSED: readonly (readonly [string, object, string])[] = [
  ['ClusterSPIFFEID', { spiffeIDTemplate: '' }, 'empty SPIFFEID template'],
  ['ClusterSPIFFEID', { spiffeIDTemplate: '{{ .TrustDomain' }, 'unclosed action'],
  ['ClusterSPIFFEID', { spiffeIDTemplate: '{{ nothing }}' }, 'function "nothing" not defined'],
  ['ClusterSPIFFEID', { spiffeIDTemplate: ID, ttl: '1 hour' }, 'invalid ttl'],
  ['ClusterSPIFFEID', { spiffeIDTemplate: ID, jwtTtl: '-5m' }, 'invalid jwtTtl'],
  ['ClusterSPIFFEID', { spiffeIDTemplate: ID, federatesWith: ['Not A Domain'] }, 'federatesWith'],
  ['ClusterSPIFFEID', { spiffeIDTemplate: ID, dnsNameTemplates: ['{{'] }, 'dnsNameTemplates'],
  [
    'ClusterSPIFFEID',
    { spiffeIDTemplate: ID, podSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
    'invalid podSelector',
  ],
  ['ClusterStaticEntry', { ...ENTRY, spiffeID: 'http://example.org/a' }, 'invalid SPIFFE ID'],
  ['ClusterStaticEntry', { ...ENTRY, spiffeID: 'spiffe://other.test/a' }, 'not a member of'],
  ['ClusterStaticEntry', { ...ENTRY, selectors: [] }, 'selector list is empty'],
  ['ClusterStaticEntry', { ...ENTRY, selectors: ['unix'] }, 'invalid selectors'],
  [
    'ClusterFederatedTrustDomain',
    { ...FEDERATED, trustDomain: 'example.org' },
    'this server itself',
  ],
  [
    'ClusterFederatedTrustDomain',
    { ...FEDERATED, bundleEndpointURL: 'http://other.test' },
    'must use the https scheme',
  ],
  [
    'ClusterFederatedTrustDomain',
    { ...FEDERATED, bundleEndpointProfile: { type: 'https_spiffe' } },
    'invalid endpointSPIFFEID',
  ],
  ['ClusterFederatedTrustDomain', { ...FEDERATED, trustDomainBundle: '{}' }, 'trustDomainBundle'],
]

interop(
  'the API server takes what can be read, and refuses the rest with the reason',
  NEEDS,
  async () => {
    await apply(
      kubernetes,
      resource('ClusterSPIFFEID', { spiffeIDTemplate: ID, ttl: '1h', podSelector: {} }),
      resource('ClusterStaticEntry', ENTRY),
      resource('ClusterFederatedTrustDomain', FEDERATED),
    )
    for (const [kind, spec, why] of REFUSED) {
      const { code, stderr } = await kubernetes.kubectl(
        ['apply', '-f', '-'],
        JSON.stringify(resource(kind, spec)),
      )
      expect(`${code} ${stderr}`).toContain('denied the request')
      expect(stderr).toContain(why)
    }
    const kept = await fieldOf(kubernetes, 'clusterspiffeid', 'checked', '{.spec.ttl}')
    expect(kept).toBe('1h')
  },
)

interop('the webhook goes on being trusted when authorities change', NEEDS, async () => {
  const caBundle = async () =>
    Buffer.from(
      await fieldOf(
        kubernetes,
        'validatingwebhookconfiguration',
        NAME,
        '{.webhooks[0].clientConfig.caBundle}',
      ),
      'base64',
    ).toString()
  const local = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await server.cli('spire', 'localauthority', 'x509', ...words)
    expect(code, stderr).toBe(0)
    return /[Aa]uthority ID: (\S+)/.exec(stdout)?.[1] ?? ''
  }
  const before = await caBundle()
  const prepared = await local('prepare')
  await until('the next authority to be among them', async () => {
    const now = await caBundle()
    return now !== before && now.includes(before.trim().slice(0, 200))
  })
  const active = /Active X\.509 authority:\s+Authority ID: (\S+)/.exec(
    (await server.cli('spire', 'localauthority', 'x509', 'show')).stdout,
  )?.[1]
  await local('activate', '-authorityID', prepared)
  await local('taint', '-authorityID', active ?? '')
  await local('revoke', '-authorityID', active ?? '')
  await until(
    'the old authority to be gone',
    async () => !(await caBundle()).includes(before.trim()),
  )
  // What somebody else writes over it is put right.
  await kubernetes.mustKubectl([
    ...['patch', 'validatingwebhookconfiguration', NAME, '--type=json', '-p'],
    JSON.stringify([
      {
        op: 'replace',
        path: '/webhooks/0/clientConfig/caBundle',
        value: Buffer.from(before).toString('base64'),
      },
    ]),
  ])
  await until('the bundle to be put right', async () => !(await caBundle()).includes(before.trim()))
  await apply(kubernetes, resource('ClusterSPIFFEID', { spiffeIDTemplate: ID, ttl: '2h' }))
  expect(await fieldOf(kubernetes, 'clusterspiffeid', 'checked', '{.spec.ttl}')).toBe('2h')
})
