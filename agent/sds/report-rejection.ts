/** An Envoy that refuses what it was sent says why, and goes on with what it had: its operator has to hear of it. */
import type { Log } from '../../log/open-log.ts'

export interface Rejection {
  readonly version_info?: string
  readonly response_nonce: string
  readonly error_detail: { readonly message: string } | null
}

/** What a client may write into our log. */
const MAX_REASON_LENGTH = 1_024
const MAX_WORD_LENGTH = 64

export function reportRejection(log: Log, pid: number, rejection: Rejection): void {
  const { error_detail } = rejection
  const version = rejection.version_info?.slice(0, MAX_WORD_LENGTH)
  const nonce = rejection.response_nonce.slice(0, MAX_WORD_LENGTH)
  const error = error_detail?.message.slice(0, MAX_REASON_LENGTH)
  log.warn({ pid, version, nonce, error }, 'A proxy refused secrets and keeps what it had')
}
