/** A workload as somebody names it who is not the workload: a process of this machine, or an object of a Kubernetes cluster. */

export type WorkloadReference =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'kubernetes-object'; readonly object: KubernetesObject }

/** By key, by UID, or by both, which must agree then. */
export interface KubernetesObject {
  /** As in the path of the API: `pods`. */
  readonly plural: string
  /** `core` for the group without a name. */
  readonly group: string
  /** Empty for what is in no namespace, and where only the UID is given. */
  readonly namespace: string
  /** Empty: only the UID is given. */
  readonly name: string
  /** Empty: only the key is given. */
  readonly uid: string
}
