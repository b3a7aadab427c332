/** Objects of a Kubernetes cluster for tests of registration, written as a person would, applied by kubectl. */
import type { Kubernetes } from '../processes/kubernetes.ts'
import { until } from '../processes/process.ts'

export interface PodOptions {
  readonly node?: string
  readonly serviceAccount?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export const node = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { zone: `zone-of-${name}` } },
})

export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

export const serviceAccount = (inNamespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace: inNamespace },
})

export function pod(inNamespace: string, name: string, options: PodOptions = {}) {
  const { node: nodeName, serviceAccount: account = 'default', labels, annotations } = options
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: inNamespace, labels, annotations },
    spec: {
      nodeName,
      serviceAccountName: account,
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'registry.example/shop/cart:1.2' }],
    },
  }
}

export const clusterSpiffeId = (name: string, spec: object) => ({
  apiVersion: 'spire.spiffe.io/v1alpha1',
  kind: 'ClusterSPIFFEID',
  metadata: { name },
  spec,
})

export async function apply(kubernetes: Kubernetes, ...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  await kubernetes.mustKubectl(['apply', '-f', '-'], JSON.stringify(list))
}

/** Our CRDs, as the project ships them. */
export async function applyCrds(kubernetes: Kubernetes): Promise<void> {
  await kubernetes.mustKubectl(['apply', '-f', 'deploy/crds'])
  const established = ['wait', '--for=condition=Established', '--timeout=30s', 'crd']
  const names = ['clusterspiffeids', 'clusterstaticentries', 'clusterfederatedtrustdomains']
  await kubernetes.mustKubectl([...established, ...names.map((one) => `${one}.spire.spiffe.io`)])
}

/** A field of an object, e.g. `{.metadata.uid}`. */
export async function fieldOf(
  kubernetes: Kubernetes,
  kind: string,
  name: string,
  path: string,
  inNamespace = 'default',
): Promise<string> {
  const words = ['get', kind, name, '-n', inNamespace, '-o', `jsonpath=${path}`]
  return (await kubernetes.mustKubectl(words)).trim()
}

/** The status of one of our resources, as soon as it is as wanted. */
export async function statusOnce(
  kubernetes: Kubernetes,
  kind: string,
  name: string,
  isAsWanted: (status: Readonly<Record<string, unknown>>) => boolean,
): Promise<Readonly<Record<string, unknown>>> {
  return await until(`the status of ${kind} ${name}`, async () => {
    const text = await kubernetes.mustKubectl(['get', kind, name, '-o', 'json'])
    const { status } = JSON.parse(text)
    return status !== undefined && isAsWanted(status) ? status : undefined
  })
}
