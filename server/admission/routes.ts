/** What the admission webhook server asks of those who answer: one function for each path, from a request to a verdict. */

/** `request` of an `admission.k8s.io/v1` AdmissionReview, its objects as they came. */
export interface AdmissionRequest {
  readonly uid: string
  /** CREATE, UPDATE, DELETE or CONNECT. */
  readonly operation: string
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  /** Plural, e.g. `pods`. */
  readonly resource: string
  /** Empty for what is in no namespace. */
  readonly namespace: string
  /** Empty when the API server chooses it. */
  readonly name: string
  readonly username: string
  readonly isDryRun: boolean
  readonly object: unknown
  readonly oldObject: unknown
}

/** RFC 6902. */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

export type AdmissionVerdict =
  | {
      readonly kind: 'allow'
      /** Empty: the object stays as it is. Only a mutating webhook may give one. */
      readonly patch: readonly JsonPatchOperation[]
      /** Shown by kubectl. */
      readonly warnings: readonly string[]
    }
  /** Shown by kubectl; lower-case, no secret. */
  | { readonly kind: 'deny'; readonly message: string }

/** What is thrown is told as a refusal: IdentityError with its message, anything else without one. */
export type AdmissionRoute = (
  request: AdmissionRequest,
  signal: AbortSignal,
) => Promise<AdmissionVerdict>

/** Path, e.g. `/inject`, → who answers. */
export type AdmissionRoutes = ReadonlyMap<string, AdmissionRoute>

export const ALLOWED: AdmissionVerdict = { kind: 'allow', patch: [], warnings: [] }
