/**
 * The webhooks of a server, asked by a real API server: pods that kubectl creates get their proxies or the reason why not, and
 * policies are refused or warned of before they are stored.
 */
import { join } from 'node:path'
import { expect } from 'vitest'
import { readProxyConfig } from '../../proxy/config.ts'
import { startServer } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { until } from '../processes/process.ts'
import { API_SERVER, interop } from './interop.ts'

const CRDS = join(import.meta.dirname, '..', '..', 'deploy', 'crds', 'istio-security.yaml')

const webhook = (kind: string, port: number, path: string, rule: object) =>
  JSON.stringify({
    apiVersion: 'admissionregistration.k8s.io/v1',
    ...{ kind: `${kind}WebhookConfiguration`, metadata: { name: 'steeple' } },
    webhooks: [
      {
        name: 'test.steeple.io',
        clientConfig: { url: `https://localhost:${port}${path}` },
        rules: [{ apiVersions: ['v1', 'v1beta1'], operations: ['CREATE', 'UPDATE'], ...rule }],
        ...{ admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail' },
        namespaceSelector: { matchLabels: { 'steeple.io/inject': 'enabled' } },
      },
    ],
  })

async function openWorld() {
  const kube = await startKubernetes()
  const port = await freePort()
  await kube.mustKubectl(['apply', '-f', CRDS])
  for (const namespace of ['shop', 'plain']) {
    await kube.mustKubectl(['create', 'ns', namespace])
    await kube.mustKubectl(['create', 'serviceaccount', '-n', namespace, 'default'])
  }
  await kube.mustKubectl(['label', 'ns', 'shop', 'steeple.io/inject=enabled'])
  const pods = { apiGroups: [''], resources: ['pods'] }
  const policies = { apiGroups: ['security.istio.io'], resources: ['*'] }
  for (const manifest of [
    webhook('Mutating', port, '/inject', pods),
    webhook('Validating', port, '/validate-security-istio-io', policies),
  ]) {
    await kube.mustKubectl(['apply', '-f', '-'], manifest)
  }
  const server = await startServer('steeple', {
    blocks: `controller_manager {
      cluster_name = "test"  kube_config_file = "${kube.kubeconfig}"
      leader_election { resource_namespace = "shop" }
      validating_webhook_configuration_name = "steeple"
      mutating_webhook_configuration_name = "steeple"
      webhook { host = "127.0.0.1"  port = "${port}" }
    }
    policy_status { kube_config_file = "${kube.kubeconfig}"  lease_namespace = "shop" }
    sidecar_injection { image = "steeple:1"  csi_driver = "csi.spiffe.io" }`,
  })
  const bundle = 'jsonpath={.items[*].webhooks[0].clientConfig.caBundle}'
  const all = 'mutatingwebhookconfigurations,validatingwebhookconfigurations'
  await until('the webhooks to have the bundle', async () => {
    const words = (await kube.mustKubectl(['get', all, '-o', bundle])).trim().split(' ')
    return words.length === 2
  })
  return {
    kube,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await kube[Symbol.asyncDispose]()
    },
  }
}

const pod = (name: string, spec: object = {}, metadata: object = {}) =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', ...metadata } },
    spec: {
      serviceAccountName: 'default',
      containers: [
        {
          ...{ name: 'app', image: 'app', ports: [{ containerPort: 8080, name: 'web' }] },
          readinessProbe: { httpGet: { path: '/ready', port: 'web' } },
        },
      ],
      ...spec,
    },
  })

async function read(kube: Kubernetes, namespace: string, name: string) {
  const text = await kube.mustKubectl(['get', 'pod', '-n', namespace, name, '-o', 'json'])
  const { metadata, spec } = JSON.parse(text)
  const names = (spec.initContainers ?? []).map(({ name: one }: { name: string }) => one)
  return { metadata, spec, names }
}

interop(
  'a real API server has pods injected, and is told why one cannot be',
  API_SERVER,
  async () => {
    await using world = await openWorld()
    const { kube } = world
    const apply = (manifest: string) => kube.kubectl(['apply', '-f', '-'], manifest)
    expect((await apply(pod('db'))).stderr).toBe('')
    const { metadata, spec, names } = await read(kube, 'shop', 'db')
    expect(names).toEqual(['steeple-rules', 'steeple-proxy'])
    expect(spec.containers[0].readinessProbe.httpGet).toMatchObject({
      ...{ path: '/probe/container-0-readinessProbe', port: 15_021 },
    })
    const proxy = readProxyConfig({
      ...{ path: 'proxy.json', text: metadata.annotations['steeple.io/proxy-config'] },
      ...{ flags: { expandEnv: true }, env: { POD_NAME: 'db' }, readText: () => '' },
    })
    expect(proxy.probes?.probes).toMatchObject([
      { question: { kind: 'http', port: 8080, path: '/ready' } },
    ])
    // What the API server has stored is not injected once more.
    expect(
      (
        await apply(
          JSON.stringify({
            ...JSON.parse(pod('twin')),
            spec,
            metadata: { ...metadata, name: 'twin', resourceVersion: undefined, uid: undefined },
          }),
        )
      ).code,
    ).toBe(0)
    expect((await read(kube, 'shop', 'twin')).names).toEqual(['steeple-rules', 'steeple-proxy'])

    const host = await apply(pod('host', { hostNetwork: true }))
    expect(host.code).not.toBe(0)
    expect(host.stderr).toMatch(
      /no proxy can be put into the pod: the pod uses the network of its node/,
    )
    const labels = { 'steeple.io/inject': 'disabled' }
    expect((await apply(pod('out', { hostNetwork: true }, { labels }))).stderr).toBe('')
    expect((await read(kube, 'shop', 'out')).names).toEqual([])
    expect((await apply(pod('plain', {}, { namespace: 'plain' }))).stderr).toBe('')
    expect((await read(kube, 'plain', 'plain')).names).toEqual([])

    const policy = (spec_: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a, namespace: shop }
spec: ${spec_}
`
    const bad = await apply(
      policy('{ rules: [{ from: [{ source: { ipBlocks: ["10.0.0.0/99"] } }] }] }'),
    )
    expect(bad.code).not.toBe(0)
    expect(bad.stderr).toMatch(
      /denied the request: spec\.rules\[0\]\.from\[0\]\.source\.ipBlocks: /,
    )
    const doubtful = await apply(
      policy('{ rules: [{ from: [{ source: { principals: ["spiffe://a/b"] } }] }] }'),
    )
    expect(doubtful.stderr).toMatch(/^Warning: spec\.rules\[0\]\.from\[0\]\.source\.principals: /)
    expect(doubtful.code).toBe(0)
  },
)
