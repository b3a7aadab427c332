/**
 * Publishes the X.509 authorities as a ClusterTrustBundle, which the kubelet projects into pods. Where the API server
 * has no such kind, it is refused as not implemented there, and the caller looks again later. An object of another
 * signer is left alone: its signer never changes.
 *
 * @see Mesh issuance §8 — Kubernetes native
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { recordAt, textAt } from '../../kubernetes/object.ts'
import { retryOnConflict } from '../../kubernetes/retry-on-conflict.ts'
import { servedVersion } from '../../kubernetes/served-version.ts'
import { statusOf } from '../../kubernetes/status.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Publisher } from './publisher.ts'

export interface TrustBundlePublisherConfig {
  readonly kind: 'k8s_cluster_trust_bundle'
  /** Undefined: the service account of the pod we run in. */
  readonly kubeconfig: string | undefined
  /** Undefined: a bundle of no signer. */
  readonly signerName: string | undefined
  readonly name: string
}

const GROUP = 'certificates.k8s.io'
const RESOURCE = 'clustertrustbundles'
const VERSIONS = ['v1', 'v1beta1']

export function trustBundlePublisher(
  config: TrustBundlePublisherConfig,
  cluster: Cluster,
): Publisher {
  let version: string | undefined
  return {
    ...{ name: 'k8s_cluster_trust_bundle', format: 'pem', refreshHintSeconds: undefined },
    async publish({ text }, signal) {
      version ??= await servedVersion(cluster, {
        ...{ group: GROUP, resource: RESOURCE, versions: VERSIONS, signal },
      })
      const apiVersion = `${GROUP}/${version}`
      if (version === undefined) throw notServed(cluster)
      try {
        await retryOnConflict(() => put(config, cluster, apiVersion, text, signal))
      } catch (error) {
        if (statusOf(error) === 404) version = undefined // served no more, after an upgrade
        throw error
      }
    },
  }
}

function notServed({ server }: Cluster): IdentityError {
  return new IdentityError(
    'NOT_IMPLEMENTED',
    `the API server ${server} serves no ${RESOURCE}.${GROUP} in version ${VERSIONS.join(' or ')}; enable the feature ClusterTrustBundle there, or remove the publisher`,
  )
}

async function put(
  { name, signerName }: TrustBundlePublisherConfig,
  cluster: Cluster,
  apiVersion: string,
  trustBundle: string,
  signal: AbortSignal,
): Promise<void> {
  const list = `/apis/${apiVersion}/${RESOURCE}`
  const path = `${list}/${encodeURIComponent(name)}`
  const found = await cluster.request({ method: 'GET', path, signal }).catch((error: unknown) => {
    if (statusOf(error) !== 404) throw error
    return undefined
  })
  if (found === undefined) {
    const spec = { trustBundle, ...(signerName === undefined ? {} : { signerName }) }
    const body = { apiVersion, kind: 'ClusterTrustBundle', metadata: { name }, spec }
    await cluster.request({ method: 'POST', path: list, body, signal })
    return
  }
  const spec = recordAt(found, 'spec')
  const signer = textAt(spec, 'signerName') ?? ''
  if (signer !== (signerName ?? '')) {
    const message = `the ClusterTrustBundle ${name} is of ${signer === '' ? 'no signer' : `signer ${signer}`}, expected ${signerName ?? 'none'}; delete it or choose another name`
    throw new IdentityError('PRECONDITION_FAILED', message)
  }
  if (textAt(spec, 'trustBundle') === trustBundle) return
  const resourceVersion = textAt(recordAt(found, 'metadata'), 'resourceVersion')
  await cluster.request({
    ...{ method: 'PATCH', path, signal },
    body: { metadata: { resourceVersion }, spec: { trustBundle } },
  })
}

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(?:\\.${LABEL})*`
const SIGNER_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})+(?:/${SUBDOMAIN})+$`)
const OBJECT_NAME = new RegExp(`^${SUBDOMAIN}$`)
const MAX_NAME_BYTES = 253

export function isSignerName(text: string): boolean {
  return text.length <= 2 * MAX_NAME_BYTES && SIGNER_NAME.test(text)
}

/** The prefix that the API server asks of the names of a signer's bundles; empty without a signer. */
export function trustBundlePrefix(signerName: string | undefined): string {
  return signerName === undefined ? '' : `${signerName.replaceAll('/', ':')}:`
}

export function isTrustBundleName(name: string, signerName: string | undefined): boolean {
  const prefix = trustBundlePrefix(signerName)
  const rest = name.slice(prefix.length)
  return name.startsWith(prefix) && rest.length <= MAX_NAME_BYTES && OBJECT_NAME.test(rest)
}
