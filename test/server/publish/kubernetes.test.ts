import { expect, test } from 'vitest'
import type { ClusterRequest } from '../../../kubernetes/cluster.ts'
import { keepCaBundles } from '../../../server/publish/ca-bundles.ts'
import { type K8sBundleConfig, k8sBundlePublisher } from '../../../server/publish/k8s-bundle.ts'
import {
  type TrustBundlePublisherConfig,
  trustBundlePublisher,
} from '../../../server/publish/k8s-cluster-trust-bundle.ts'
import { configMapPublisher } from '../../../server/publish/k8s-configmap.ts'
import { publishBundle } from '../../../server/publish/publish-bundle.ts'
import { formatBundlePem } from '../../../spiffe/bundle/pem.ts'
import { testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { Refused, scriptedCluster } from '../../fakes/scripted-cluster.ts'

const ca = await testCa()
const PEM = { text: formatBundlePem(ca.bundle), contentType: '' }
const never = new AbortController().signal

test('a ConfigMap is applied whole, under the field manager that SPIRE has', async () => {
  const cluster = scriptedCluster(() => ({}))
  const publisher = configMapPublisher(
    {
      ...{ kind: 'k8s_configmap', clusterName: 'c', kubeconfig: undefined, namespace: 'ns' },
      ...{ configMap: 'cm', key: 'k', format: 'pem', refreshHintSeconds: undefined },
    },
    cluster,
  )
  await publisher.publish(PEM, never)
  expect(cluster.asked).toMatchObject([
    {
      method: 'PATCH',
      path: '/api/v1/namespaces/ns/configmaps/cm',
      query: { fieldManager: 'spire-bundlepublisher-k8s_configmap' },
      contentType: 'application/apply-patch+yaml',
      body: { metadata: { name: 'cm', namespace: 'ns' }, data: { k: PEM.text } },
    },
  ])
})

const NOTIFIER: K8sBundleConfig = {
  kind: 'k8sbundle',
  ...{ kubeconfig: undefined, namespace: 'ns', configMap: 'cm', key: 'k' },
  ...{ webhookLabel: undefined, apiServiceLabel: undefined },
}

test('the notifier writes against the version that it read, again when somebody was faster, and not without need', async () => {
  let version = 1
  let data = {}
  const cluster = scriptedCluster(({ method, body }) => {
    if (method === 'GET') return { metadata: { resourceVersion: String(version) }, data }
    if (version === 1) {
      version = 2
      return new Refused(409)
    }
    expect(body).toMatchObject({ metadata: { resourceVersion: '2' } })
    data = { k: PEM.text }
    return {}
  })
  const publisher = k8sBundlePublisher(NOTIFIER, cluster)
  await publisher.publish(PEM, never)
  expect(data).toEqual({ k: PEM.text })
  await publisher.publish(PEM, never)
  expect(cluster.asked.map(({ method }) => method)).toEqual([
    ...['GET', 'PATCH', 'GET', 'PATCH', 'GET'],
  ])
})

test.for([
  ['is not there', 404, 'NOT_FOUND'],
  ['may not be read', 403, 'NOT_AUTHORIZED'],
  ['is changed by others without end', 409, 'PRECONDITION_FAILED'],
] as const)('a ConfigMap that %s is a failure, after a few attempts', async ([, status, code]) => {
  const cluster = scriptedCluster(() => new Refused(status))
  const publishing = k8sBundlePublisher(NOTIFIER, cluster).publish(PEM, never)
  await expect(publishing).rejects.toMatchObject({ code })
  expect(cluster.asked.length).toBeLessThanOrEqual(5)
})

const TRUST_BUNDLE: TrustBundlePublisherConfig = {
  kind: 'k8s_cluster_trust_bundle',
  ...{ kubeconfig: undefined, signerName: 'a.b/c', name: 'a.b:c:x' },
}

/** Serves ClusterTrustBundles in this version; `found` is the one that is there. */
const serving = (version: string, found: () => unknown) => (request: ClusterRequest) => {
  if (request.path === `/apis/certificates.k8s.io/${version}`) {
    return { resources: [{ name: 'clustertrustbundles' }] }
  }
  if (/^\/apis\/certificates.k8s.io\/[^/]+$/.test(request.path)) return new Refused(404)
  return request.method === 'GET' ? found() : {}
}

test.for(['v1', 'v1beta1'])('a ClusterTrustBundle is made where %s is served', async (version) => {
  const cluster = scriptedCluster(serving(version, () => new Refused(404)))
  await trustBundlePublisher(TRUST_BUNDLE, cluster).publish(PEM, never)
  expect(cluster.asked.at(-1)).toMatchObject({
    method: 'POST',
    path: `/apis/certificates.k8s.io/${version}/clustertrustbundles`,
    body: { metadata: { name: 'a.b:c:x' }, spec: { signerName: 'a.b/c', trustBundle: PEM.text } },
  })
})

test('a ClusterTrustBundle that is right already is left alone, and one that is old is replaced', async () => {
  let trustBundle = PEM.text
  const spec = () => ({
    metadata: { resourceVersion: '7' },
    spec: { signerName: 'a.b/c', trustBundle },
  })
  const cluster = scriptedCluster(serving('v1beta1', spec))
  const publisher = trustBundlePublisher(TRUST_BUNDLE, cluster)
  await publisher.publish(PEM, never)
  expect(cluster.asked.every(({ method }) => method === 'GET')).toBe(true)
  trustBundle = 'old'
  await publisher.publish(PEM, never)
  expect(cluster.asked.at(-1)).toMatchObject({
    ...{
      method: 'PATCH',
      path: '/apis/certificates.k8s.io/v1beta1/clustertrustbundles/a.b%3Ac%3Ax',
    },
    body: { metadata: { resourceVersion: '7' }, spec: { trustBundle: PEM.text } },
  })
})

test.for([
  [
    'another signer',
    { signerName: 'd.e/f', trustBundle: '' },
    'is of signer d.e/f, expected a.b/c',
  ],
  ['no signer', { trustBundle: '' }, 'is of no signer, expected a.b/c'],
] as const)('a ClusterTrustBundle of %s is not touched', async ([, spec, why]) => {
  const cluster = scriptedCluster(serving('v1', () => ({ metadata: {}, spec })))
  const publishing = trustBundlePublisher(TRUST_BUNDLE, cluster).publish(PEM, never)
  await expect(publishing).rejects.toThrow(why)
  expect(cluster.asked.every(({ method }) => method === 'GET')).toBe(true)
})

const quiet = { current: () => ca.bundle, onChange: () => () => {} }

test('an API server without ClusterTrustBundles is told of once, and asked again after an hour', async () => {
  const cluster = scriptedCluster(() => new Refused(404))
  const clock = new FakeClock()
  const stop = new AbortController()
  const told: string[] = []
  const ended = publishBundle(
    {
      ...{ publisher: trustBundlePublisher(TRUST_BUNDLE, cluster), bundle: quiet, clock },
      random: () => 0,
      onPublished: () => told.push('published'),
      onFailure: () => told.push('failed'),
      onNoSuchPlace: ({ message }) => told.push(message),
    },
    stop.signal,
  )
  await clock.sleepers(1)
  expect(told).toEqual([
    expect.stringContaining('serves no clustertrustbundles.certificates.k8s.io'),
  ])
  const before = cluster.asked.length
  clock.advance(59 * 60_000)
  expect(cluster.asked.length).toBe(before)
  clock.advance(60_000)
  await expect.poll(() => cluster.asked.length).toBe(2 * before)
  stop.abort()
  await ended
})

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const configuration = (
  name: string,
  version: number,
  ...caBundles: readonly (string | undefined)[]
) => ({
  metadata: { name, uid: name, resourceVersion: String(version) },
  webhooks: caBundles.map((caBundle, at) => ({ name: `w${at}`, clientConfig: { caBundle } })),
})

test('webhooks are given the bundle by name, those that have it are left, and a refusal is told and tried again', async () => {
  const right = Buffer.from(PEM.text).toString('base64')
  let isAllowed = false
  const cluster = scriptedCluster(({ method }) => {
    if (method === 'PATCH') return isAllowed ? {} : new Refused(403)
    const items = [configuration('right', 1, right), configuration('old', 2, right, undefined)]
    return { metadata: { resourceVersion: '9' }, items }
  })
  const clock = new FakeClock()
  const stop = new AbortController()
  const { log, lines } = memoryLog()
  const ended = keepCaBundles(
    {
      ...{ cluster, kind: 'validating-webhooks', label: 'l', bundle: quiet, clock, log },
      random: () => 0,
    },
    stop.signal,
  )
  const patches = () => cluster.asked.filter(({ method }) => method === 'PATCH')
  await expect.poll(() => patches().length).toBe(1)
  expect(patches()[0]).toMatchObject({
    path: `${WEBHOOKS}/old`,
    contentType: 'application/strategic-merge-patch+json',
    body: {
      metadata: { resourceVersion: '2' },
      webhooks: [
        { name: 'w0', clientConfig: { caBundle: right } },
        { name: 'w1', clientConfig: { caBundle: right } },
      ],
    },
  })
  await expect.poll(() => lines.map(({ msg }) => msg)).toContain('Unable to set bundle for object')
  isAllowed = true
  await clock.sleepers(1)
  clock.advance(2_000)
  await expect.poll(() => patches().length).toBe(2)
  await clock.sleepers(1)
  clock.advance(1_000)
  // What the watch brings is looked at as soon as it comes.
  cluster.tell(WEBHOOKS, { type: 'MODIFIED', object: configuration('old', 3, right, right) })
  cluster.tell(WEBHOOKS, { type: 'ADDED', object: configuration('new', 4, 'b3RoZXI=') })
  await expect.poll(() => patches().at(-1)?.path).toBe(`${WEBHOOKS}/new`)
  // Somebody who puts back what was there is answered once a second, and not at once.
  await clock.sleepers(1)
  const before = patches().length
  for (const version of [5, 6, 7]) {
    cluster.tell(WEBHOOKS, { type: 'MODIFIED', object: configuration('new', version, 'b3RoZXI=') })
  }
  cluster.tell(WEBHOOKS, { type: 'DELETED', object: configuration('old', 8, right, right) })
  clock.advance(1_000)
  await expect.poll(() => patches().length).toBe(before + 1)
  stop.abort()
  await ended
})
