/** An external provider of authorization as the configuration describes it, and what it can say. */
import type { Address } from '../../config/address.ts'
import type { ConnectionFacts } from '../../policy/facts.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { HeadEdits, HeaderLine, LocalAnswer, RequestHead } from '../http/exchange.ts'
import type { NamePattern } from './name-pattern.ts'

interface Shared {
  /** As policies name it. */
  readonly name: string
  readonly address: Address
  /** For one question, from asking to the last byte of the answer. */
  readonly timeoutMs: number
  /** When the provider cannot be asked the request passes; otherwise it is answered `statusOnError`. */
  readonly failOpen: boolean
  readonly statusOnError: number
}

export interface HttpProvider extends Shared {
  readonly protocol: 'http'
  /** Put before the path of the request. */
  readonly pathPrefix: string
  /** Headers of the request that the provider sees, beside method, path, host and authorization. */
  readonly includeRequestHeaders: readonly NamePattern[]
  /** They replace what the request has under the same names. */
  readonly includeAdditionalHeaders: readonly HeaderLine[]
  /** Headers of an agreeing answer that the workload gets in the place of the request's own. */
  readonly headersToUpstreamOnAllow: readonly NamePattern[]
  /** Headers of a refusing answer that the caller gets; undefined: all. */
  readonly headersToDownstreamOnDeny: readonly NamePattern[] | undefined
}

export interface GrpcProvider extends Shared {
  readonly protocol: 'grpc'
}

export type ExtAuthzProvider = HttpProvider | GrpcProvider

/** What a provider is asked about. */
export interface CheckQuestion {
  readonly facts: ConnectionFacts
  /** Our own identity. */
  readonly self: SpiffeId
  /** Undefined for a connection. */
  readonly request: CheckedRequest | undefined
}

export interface CheckedRequest {
  readonly head: RequestHead
  /** Normalised, with its query. */
  readonly target: string
}

export type CheckAnswer =
  | { readonly kind: 'agreed'; readonly edits: HeadEdits | undefined }
  | { readonly kind: 'refused'; readonly answer: LocalAnswer }
  /** It could not be asked, or said nothing that can be understood. */
  | { readonly kind: 'failed'; readonly reason: string }

/** Never rejects; `signal` aborts when nobody waits any more. */
export type Check = (question: CheckQuestion, signal: AbortSignal) => Promise<CheckAnswer>
