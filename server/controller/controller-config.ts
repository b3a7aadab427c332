/** What the controller is told by the configuration. @see server/config/controller.ts for the keys */

export interface ControllerConfig {
  readonly clusterName: string
  readonly clusterDomain: string
  /** Undefined: the cluster that the server runs in. */
  readonly kubeconfig: string | undefined
  readonly className: string
  readonly watchesClassless: boolean
  /** Regular expressions, as upstream's: a name that contains a match is ignored. */
  readonly ignoredNamespaces: readonly string[]
  /** Empty: upstream's default. */
  readonly parentIdTemplate: string
  /** Never empty: it tells the controller's entries from those of others. */
  readonly entryIdPrefix: string
  readonly gcIntervalMs: number
  /** Undefined: no Lease; servers of one store still take turns, others are not known to each other. */
  readonly leaderElection: LeaderElectionConfig | undefined
  /** Undefined: no webhook is served. */
  readonly webhook: WebhookConfig | undefined
}

export interface LeaderElectionConfig {
  readonly leaseName: string
  /** Undefined: that of the pod which the server runs in. */
  readonly namespace: string | undefined
  readonly durationMs: number
  readonly renewDeadlineMs: number
  readonly retryMs: number
}

export interface WebhookConfig {
  readonly host: string
  readonly port: number
  /** Of the ValidatingWebhookConfiguration whose `caBundle` is kept current. */
  readonly validatingName: string
  /** Of the MutatingWebhookConfiguration; undefined: there is none. */
  readonly mutatingName: string | undefined
}
