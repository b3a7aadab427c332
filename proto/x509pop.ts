/**
 * The messages of node attestation by x509pop, which both sides write as JSON with bytes in base64. Whatever has
 * another form is refused.
 *
 * @see SPIRE behaviour §2 — x509pop
 */
import { z } from 'zod'
import { IdentityError } from '../spiffe/error.ts'
import type { Possession, PossessionKind } from '../spiffe/x509/possession.ts'

/** What a node claims to be, and how it is asked to prove it. */
export interface X509PopChallenge {
  readonly kind: PossessionKind
  readonly nonce: Uint8Array
}

/** Long before it, gRPC refuses. Certificates have a bound of their own. */
const MAX_MESSAGE_BYTES = 1 << 20

const bytes = z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64'))
const PAYLOAD = z.object({ certificates: z.array(bytes).min(1) })
const CHALLENGE = z.object({
  rsa_signature: z.object({ nonce: bytes }).nullish(),
  ecdsa_signature: z.object({ nonce: bytes }).nullish(),
})
const ANSWER = z.object({
  rsa_signature: z.object({ nonce: bytes, signature: bytes }).nullish(),
  ecdsa_signature: z.object({ nonce: bytes, r: bytes, s: bytes }).nullish(),
})

/** @param chain DER, leaf first */
export function writeX509PopPayload(chain: readonly Uint8Array[]): Uint8Array {
  return write({ certificates: chain.map(base64) })
}

/** @returns DER, leaf first; never empty @throws IdentityError REQUEST_INVALID */
export function readX509PopPayload(payload: Uint8Array): readonly Uint8Array[] {
  return read(PAYLOAD, 'attestation data', payload).certificates
}

export function writeX509PopChallenge({ kind, nonce }: X509PopChallenge): Uint8Array {
  const asked = { nonce: base64(nonce) }
  return write({
    rsa_signature: kind === 'rsa' ? asked : null,
    ecdsa_signature: kind === 'ecdsa' ? asked : null,
  })
}

/** @throws IdentityError REQUEST_INVALID, also when it asks for both kinds or none */
export function readX509PopChallenge(message: Uint8Array): X509PopChallenge {
  const { rsa_signature: rsa, ecdsa_signature: ecdsa } = read(CHALLENGE, 'challenge', message)
  if (rsa && !ecdsa) return { kind: 'rsa', nonce: rsa.nonce }
  if (ecdsa && !rsa) return { kind: 'ecdsa', nonce: ecdsa.nonce }
  throw notOneKind('challenge')
}

export function writeX509PopAnswer(proof: Possession): Uint8Array {
  const nonce = base64(proof.nonce)
  return proof.kind === 'rsa'
    ? write({ rsa_signature: { nonce, signature: base64(proof.signature) }, ecdsa_signature: null })
    : write({
        rsa_signature: null,
        ecdsa_signature: { nonce, r: base64(proof.r), s: base64(proof.s) },
      })
}

/** @throws IdentityError REQUEST_INVALID, also when it has both kinds or none */
export function readX509PopAnswer(message: Uint8Array): Possession {
  const { rsa_signature: rsa, ecdsa_signature: ecdsa } = read(ANSWER, 'challenge response', message)
  if (rsa && !ecdsa) return { kind: 'rsa', ...rsa }
  if (ecdsa && !rsa) return { kind: 'ecdsa', ...ecdsa }
  throw notOneKind('challenge response')
}

function read<T>(schema: z.ZodType<T>, what: string, message: Uint8Array): T {
  if (message.length > MAX_MESSAGE_BYTES) {
    throw invalid(`${what} of ${message.length} bytes, expected at most ${MAX_MESSAGE_BYTES}`)
  }
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(message).toString('utf8'))
  } catch (cause) {
    throw invalid(`failed to unmarshal ${what}: it is not JSON`, cause)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') || 'the whole'
  throw invalid(`failed to unmarshal ${what}: ${where} is not as expected`, parsed.error)
}

function write(message: object): Uint8Array {
  return Buffer.from(JSON.stringify(message))
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64')
}

function notOneKind(what: string): IdentityError {
  return invalid(`${what} for both rsa_signature and ecdsa_signature or neither, expected one`)
}

function invalid(why: string, cause?: unknown): IdentityError {
  return new IdentityError('REQUEST_INVALID', why, { cause })
}
