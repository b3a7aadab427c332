/** Pods, their tokens and their proxies, as the tests of mesh issuance need them: nothing runs them, for there is no kubelet. */
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kubernetes } from '../../processes/kubernetes.ts'
import { run } from '../../processes/process.ts'
import { peer } from '../interop.ts'

export interface MeshPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly account: string
}

export interface PodFields {
  readonly namespace: string
  readonly account: string
  readonly node: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** Makes the node, namespace and service account as well, where they are missing. */
export async function createMeshPod(
  { kubectl, mustKubectl }: Pick<Kubernetes, 'kubectl' | 'mustKubectl'>,
  {
    namespace,
    account,
    node,
    name = `${account}-${randomUUID().slice(0, 8)}`,
    labels = {},
  }: PodFields,
): Promise<MeshPod> {
  const items = [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: node } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
  ]
  // What is there already is refused, which leaves it as it is.
  await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } },
    spec: {
      ...{ nodeName: node, serviceAccountName: account },
      containers: [{ name: 'c', image: 'localhost/none' }],
    },
  }
  const words = ['create', '-f', '-', '-o', 'jsonpath={.metadata.uid}']
  return { namespace, name, account, uid: await mustKubectl(words, JSON.stringify(pod)) }
}

export async function deleteMeshPod({ mustKubectl }: Kubernetes, pod: MeshPod): Promise<void> {
  await mustKubectl(['delete', 'pod', '-n', pod.namespace, pod.name, '--grace-period=0', '--force'])
}

/** As a kubelet has it made: bound to the pod. @returns the path of a file with it */
export async function tokenOf(
  { token, dir }: Pick<Kubernetes, 'token' | 'dir'>,
  { namespace, account, name, uid }: MeshPod,
  audience: string,
): Promise<string> {
  const bound = [
    '--bound-object-kind=Pod',
    `--bound-object-name=${name}`,
    `--bound-object-uid=${uid}`,
  ]
  return keepToken(dir, await token(namespace, account, [`--audience=${audience}`, ...bound]))
}

export function keepToken(dir: string, token: string): string {
  const path = join(dir, `token-${randomUUID()}`)
  writeFileSync(path, token)
  return path
}

export interface Outcome {
  readonly chain?: readonly string[]
  readonly validUntil?: string
  readonly attempts: number
  readonly code?: string
  readonly message?: string
}

export interface Asking {
  readonly address: string
  readonly root: string
  readonly 'server-name': string
  readonly token: string
  readonly identity: string
  readonly impersonate?: string
  readonly cluster?: string
  readonly ttl?: number
  readonly retries?: number
  readonly key?: string
  readonly 'key-type'?: string
}

/** Asks as this proxy does. */
export async function askAs(
  proxy: 'ztunnel' | 'istio-agent' | 'linkerd',
  asking: Asking,
): Promise<Outcome> {
  const flags = Object.entries(asking).map(([name, value]) => `-${name}=${value}`)
  const { code, stdout, stderr } = await run(peer('mesh-client'), [proxy, ...flags], {
    timeoutMs: 60_000,
  })
  if (code !== 0) throw new Error(`mesh-client ${proxy}: ${stdout}${stderr}`)
  return JSON.parse(stdout)
}

/** What OpenSSL says of the first certificate in a PEM text. */
export async function textOf(dir: string, pem: string): Promise<string> {
  const path = join(dir, `${randomUUID()}.pem`)
  writeFileSync(path, pem)
  return await openssl('x509', '-in', path, '-noout', '-text')
}

/** Whether OpenSSL takes a leaf by these roots. */
export async function verifies(
  dir: string,
  chain: readonly string[],
  roots: string,
): Promise<boolean> {
  const [leaf = '', ...others] = chain
  const file = (text: string) => {
    const path = join(dir, `${randomUUID()}.pem`)
    writeFileSync(path, text)
    return path
  }
  const between = others.join('') === '' ? [] : ['-untrusted', file(others.join(''))]
  const { code } = await run('openssl', [
    'verify',
    '-x509_strict',
    '-CAfile',
    file(roots),
    ...between,
    file(leaf),
  ])
  return code === 0
}

async function openssl(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('openssl', words)
  if (code !== 0) throw new Error(`openssl ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

export function countOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
