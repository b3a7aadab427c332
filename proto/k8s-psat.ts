/**
 * The message of node attestation by k8s_psat: the agent's cluster and its projected service account token, as JSON.
 * Whatever has another form is refused. It holds a secret: it is never logged, and no refusal repeats any of it.
 *
 * @see SPIRE behaviour §2 — k8s_psat
 */
import { z } from 'zod'
import { IdentityError } from '../spiffe/error.ts'

export interface K8sPsatPayload {
  /** As both configurations name it. */
  readonly cluster: string
  /** A secret while it lives. */
  readonly token: string
}

/** Tokens have about 1 KiB; anybody can send one, and each is sent on to an API server. */
const MAX_PAYLOAD_BYTES = 64 * 1024

/** Go's decoder takes null for what is left out, and so do we. */
const PAYLOAD = z.object({ cluster: z.string().nullish(), token: z.string().nullish() })

export function writeK8sPsatPayload({ cluster, token }: K8sPsatPayload): Uint8Array {
  return Buffer.from(JSON.stringify({ cluster, token }))
}

/** @returns neither part is empty @throws IdentityError REQUEST_INVALID */
export function readK8sPsatPayload(payload: Uint8Array): K8sPsatPayload {
  const { cluster, token } = parse(payload)
  if (!cluster) throw invalid('missing cluster in attestation data')
  if (!token) throw invalid('missing token in attestation data')
  return { cluster, token }
}

function parse(payload: Uint8Array): z.infer<typeof PAYLOAD> {
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw invalid(
      `attestation data of ${payload.length} bytes, expected at most ${MAX_PAYLOAD_BYTES}`,
    )
  }
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    // Without the cause: a parser's message quotes what it read.
    throw invalid('failed to unmarshal data payload: it is not JSON')
  }
  const parsed = PAYLOAD.safeParse(json ?? {})
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') || 'the whole'
  throw invalid(`failed to unmarshal data payload: ${where} is not as expected`)
}

function invalid(why: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', why)
}
