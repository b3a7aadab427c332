/** PodCertificateRequests as a kubelet would make them: an empty CSR made by OpenSSL, for a pod that is really there. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Kubernetes } from '../../processes/kubernetes.ts'
import { run } from '../../processes/process.ts'

export const KEY_TYPES = {
  RSA3072: ['rsa', 'rsa_keygen_bits:3072'],
  RSA4096: ['rsa', 'rsa_keygen_bits:4096'],
  ECDSAP256: ['ec', 'ec_paramgen_curve:P-256'],
  ECDSAP384: ['ec', 'ec_paramgen_curve:P-384'],
  ECDSAP521: ['ec', 'ec_paramgen_curve:P-521'],
  ED25519: ['ed25519'],
} as const

export type RequestedKeyType = keyof typeof KEY_TYPES

export interface PodOptions {
  readonly serviceAccount?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** @returns the pod's UID; nothing runs it, for there is no kubelet */
export async function createPod(
  kubernetes: Kubernetes,
  namespace: string,
  name: string,
  { serviceAccount = 'default', labels = {} }: PodOptions = {},
): Promise<string> {
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } },
    spec: {
      ...{ nodeName: 'node1', serviceAccountName: serviceAccount },
      containers: [{ name: 'c', image: 'localhost/none' }],
    },
  }
  const words = ['create', '-f', '-', '-o', 'jsonpath={.metadata.uid}']
  return await kubernetes.mustKubectl(words, JSON.stringify(pod))
}

/** DER; its private key is left as `<name>.key` in the folder. */
export async function stubCsr(dir: string, name: string, type: RequestedKeyType): Promise<Buffer> {
  const [algorithm, option] = KEY_TYPES[type]
  const [key, csr] = [join(dir, `${name}.key`), join(dir, `${name}.csr`)]
  const make = ['genpkey', '-algorithm', algorithm, '-out', key]
  await openssl(option === undefined ? make : [...make, '-pkeyopt', option])
  await openssl(['req', '-new', '-key', key, '-subj', '/', '-outform', 'DER', '-out', csr])
  const der = readFileSync(csr)
  rmSync(csr)
  return der
}

async function openssl(words: readonly string[]): Promise<void> {
  const { code, stderr } = await run('openssl', words)
  if (code !== 0) throw new Error(`openssl ${words[0]}: ${stderr}`)
}

export interface RequestOptions {
  readonly namespace: string
  readonly pod: { readonly name: string; readonly uid: string }
  readonly csr: Buffer
  readonly signerName: string
  readonly nodeUid: string
  readonly serviceAccount?: string
  readonly more?: Readonly<Record<string, unknown>>
}

/** @returns the name of the request */
export async function createRequest(
  kubernetes: Kubernetes,
  { namespace, pod, csr, signerName, nodeUid, serviceAccount = 'default', more }: RequestOptions,
): Promise<string> {
  const request = {
    ...{ apiVersion: 'certificates.k8s.io/v1beta1', kind: 'PodCertificateRequest' },
    metadata: { generateName: 'req-', namespace },
    spec: {
      ...{ signerName, podName: pod.name, podUID: pod.uid },
      ...{ serviceAccountName: serviceAccount, serviceAccountUID: 'unknown' },
      ...{ nodeName: 'node1', nodeUID: nodeUid },
      stubPKCS10Request: csr.toString('base64'),
      ...more,
    },
  }
  const words = ['create', '-f', '-', '-o', 'jsonpath={.metadata.name}']
  return await kubernetes.mustKubectl(words, JSON.stringify(request))
}

export interface RequestStatus {
  readonly conditions?: readonly {
    readonly type: string
    readonly status: string
    readonly reason: string
    readonly message: string
  }[]
  readonly certificateChain?: string
  readonly notBefore?: string
  readonly notAfter?: string
  readonly beginRefreshAt?: string
}

export async function statusOfRequest(
  kubernetes: Kubernetes,
  namespace: string,
  name: string,
): Promise<RequestStatus> {
  const words = ['get', 'podcertificaterequest', '-n', namespace, name, '-o', 'json']
  return JSON.parse(await kubernetes.mustKubectl(words)).status ?? {}
}
