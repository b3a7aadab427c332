/** A calling workload after attestation, and what the handlers need to answer it. */
import type { Log } from '../../log/open-log.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { IdentitySource } from '../cache/identity.ts'

export interface Workload {
  readonly caller: UnixCaller
  readonly selectors: ReadonlySet<Selector>
  /** Aborts when the caller goes away and when the agent stops. */
  readonly signal: AbortSignal
}

export interface AnswerDeps {
  readonly source: IdentitySource
  readonly clock: Clock
  readonly log: Log
  /** Bundles for callers that no entry matches. */
  readonly allowUnauthenticatedVerifiers: boolean
  /** Shown of tokens of other trust domains, besides `sub`, `exp` and `aud`. */
  readonly allowedForeignJwtClaims: readonly string[]
  /** What the log is told of a workload without an identity; nobody else is. */
  readonly whyNone?: WhyNone
}

/** Fields of a log line, without any selector that the log may not show. */
export type WhyNone = (workload: Workload) => Readonly<Record<string, unknown>>

export type Send<Message> = (message: Message) => Promise<void>

/** SPIRE's text; clients recognise it. Why, and what to do about it, is the cause, which only the agent's log shows. */
export function noIdentity(fields: Readonly<Record<string, unknown>> = {}): IdentityError {
  return new IdentityError('NO_IDENTITY_ISSUED', 'no identity issued', { cause: { fields } })
}

/** Fails closed: what was attested at the start of a stream is not sent to whoever holds the socket later. */
export function requireAlive({ caller }: Workload): void {
  if (!caller.isAlive()) {
    throw new IdentityError('CALLER_UNIDENTIFIED', 'the process that opened the stream has ended')
  }
}
