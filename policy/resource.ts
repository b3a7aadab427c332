/**
 * What every object of `security.istio.io` has, however it came here: a name, and the workloads it is attached to.
 * Values of these shapes come from the parsers of this room, which refuse what Istio's webhook refuses.
 */

export interface ObjectName {
  readonly namespace: string
  readonly name: string
}

/** An object that a policy is attached to by name: a Gateway, GatewayClass, Service or ServiceEntry. */
export interface TargetRef {
  /** Empty for the core group. */
  readonly group: string
  readonly kind: string
  readonly name: string
}

/** Labels select pods: every one of them must be there. No labels select all pods. Targets are for waypoints. */
export type Attachment =
  | { readonly kind: 'selector'; readonly labels: Readonly<Record<string, string>> }
  | { readonly kind: 'targets'; readonly targets: readonly TargetRef[] }

/** A mistake in an object, at the field where it stands, e.g. `spec.rules[0].from[0].source`. */
export interface Fault {
  readonly field: string
  /** What was seen, what was expected and what to do; lower-case, no final period. */
  readonly message: string
}

/** Either the object, with what its author should look at again, or every mistake in it. */
export type Parsed<T> =
  | { readonly kind: 'policy'; readonly policy: T; readonly warnings: readonly Fault[] }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
