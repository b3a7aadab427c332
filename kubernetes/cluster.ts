/**
 * One Kubernetes API server as this project uses it: requests with JSON in and out, and watches. Requests say what they
 * ask for by path, so that a reader can look up the permission that each of them needs.
 */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ClusterRequest {
  readonly method: Method
  /** E.g. `/api/v1/namespaces/default/pods`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** PATCH only: `application/merge-patch+json` unless said otherwise. */
  readonly contentType?: string
  /** `application/json` unless said otherwise; whatever it is, JSON comes back. */
  readonly accept?: string
  readonly signal?: AbortSignal
}

/** One line of a watch, as it came: the object is what the server said, or a Status at `ERROR`. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

export interface WatchRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface Cluster extends Disposable {
  /** URL of the API server, for messages. */
  readonly server: string
  /**
   * @throws IdentityError: REQUEST_INVALID (400, 422), CALLER_UNIDENTIFIED (401), NOT_AUTHORIZED (403), NOT_FOUND (404),
   * ALREADY_EXISTS and PRECONDITION_FAILED (409: there already, or changed meanwhile), RATE_LIMITED (429), UNAVAILABLE
   * (no answer in time, or any other); `statusOf` tells the number
   */
  request(request: ClusterRequest): Promise<unknown>
  /**
   * Resolves when the server has accepted. The events end when the server ends them or the signal aborts, and fail with
   * UNAVAILABLE when the connection breaks. @throws as `request`
   */
  watch(request: WatchRequest): Promise<AsyncIterable<WatchEvent>>
}
