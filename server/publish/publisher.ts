/** A place where the bundle of the trust domain is put for those who have no agent to ask, and what a place must do. */
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { type FilePublisherConfig, filePublisher } from './file.ts'
import { type K8sBundleConfig, k8sBundlePublisher } from './k8s-bundle.ts'
import {
  type TrustBundlePublisherConfig,
  trustBundlePublisher,
} from './k8s-cluster-trust-bundle.ts'
import { type ConfigMapPublisherConfig, configMapPublisher } from './k8s-configmap.ts'
import type { PublishedFormat, PublishedText } from './published-text.ts'
import { type S3PublisherConfig, s3Publisher } from './s3.ts'

export type ClusterPublisherConfig =
  | ConfigMapPublisherConfig
  | K8sBundleConfig
  | TrustBundlePublisherConfig

export type PublisherConfig = FilePublisherConfig | S3PublisherConfig | ClusterPublisherConfig

export interface Publisher {
  /** As the configuration names it. */
  readonly name: PublisherConfig['kind']
  readonly format: PublishedFormat
  /** Undefined: that of the bundle. */
  readonly refreshHintSeconds: number | undefined
  /**
   * Replaces what is there as a whole: whoever reads finds the old or the new.
   * @throws IdentityError UNAVAILABLE, or what an API server refused with; NOT_IMPLEMENTED when there is no such place
   * there and trying again soon is of no use
   */
  publish(text: PublishedText, signal: AbortSignal): Promise<void>
}

export interface PlacesOpened {
  readonly clock: Clock
  /** The cluster of this kubeconfig. */
  cluster(kubeconfig: string | undefined): Promise<Cluster>
}

/** @throws IdentityError CONFIG_INVALID when a kubeconfig cannot be used */
export async function openPublisher(
  config: PublisherConfig,
  { clock, cluster }: PlacesOpened,
): Promise<Publisher> {
  switch (config.kind) {
    case 'file':
      return filePublisher(config)
    case 'aws_s3':
      return s3Publisher(config, clock)
    case 'k8s_configmap':
      return configMapPublisher(config, await cluster(config.kubeconfig))
    case 'k8sbundle':
      return k8sBundlePublisher(config, await cluster(config.kubeconfig))
    case 'k8s_cluster_trust_bundle':
      return trustBundlePublisher(config, await cluster(config.kubeconfig))
  }
}
