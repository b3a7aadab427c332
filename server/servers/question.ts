/**
 * What one server asks of another, and what it is answered, as text in the store. Both ends may be of different versions:
 * whatever cannot be read is refused by name, and never taken for something else.
 */
import { z } from 'zod'
import { type ErrorCode, IdentityError } from '../../spiffe/error.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { USE_KINDS } from '../issue/ledger-record.ts'

/** Authorities of one kind in one question. */
export const MAX_ASKED = 256
/** Characters of an answer: about 100,000 followers and slots. */
export const MAX_ANSWER_LENGTH = 16 << 20

const id = z.string().min(1).max(128)
const kind = z.enum(['x509', 'jwt'])
const ms = z.number()

const QUESTION = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('standing'), kind, ids: z.array(id).max(MAX_ASKED) }),
  /** `active`: the authority that signs now and is to be followed. */
  z.object({ ask: z.literal('prepare'), kind, active: id }),
  z.object({ ask: z.literal('activate'), kind, id }),
  z.object({ ask: z.literal('discard'), kind, id }),
])
export type Question = Readonly<z.infer<typeof QUESTION>>

const spiffeId = z.string().transform((text) => parseSpiffeId(text))
const authority = z.object({ id, issuedAtMs: ms, expiresAtMs: ms, upstreamId: id.optional() })
const place = z.enum(['absent', 'trusted', 'tainted'])

const STANDING = z.object({
  prepared: authority.optional(),
  active: authority.optional(),
  old: authority.optional(),
  activation: z.enum(['unknown', 'by-schedule', 'by-hand']),
  /** Of those asked for, of which everything that this server signed is recorded. */
  made: z.array(id),
  /** Authority ID → until when something that is not recorded may last. */
  forgottenUntilMs: z.record(id, ms),
  uses: z.array(
    z.object({ id, kind: z.enum(USE_KINDS), holder: spiffeId, count: z.number(), untilMs: ms }),
  ),
  /** SVIDs of workloads that a renewal replaces, whichever server it comes from. */
  held: z.array(z.object({ id, slot: z.string(), signedAtMs: ms, holder: spiffeId, untilMs: ms })),
  /** Slot → when this server signed for it last. */
  renewedAtMs: z.record(z.string(), ms),
  /** What stands in `handed` by its index: a place for each of the authorities asked for, in their order. */
  places: z.array(z.array(place)),
  /** Digest of a follower's ID → index into `places`, and when. */
  handed: z.record(z.string(), z.tuple([z.number(), ms])),
})
/** What one server knows of the authorities that it was asked about. */
export type StandingAnswer = Readonly<z.infer<typeof STANDING>>
export type WireAuthority = Readonly<z.infer<typeof authority>>
export type Place = z.infer<typeof place>

const DONE = z.object({ authorityId: z.string() })
export type DoneAnswer = Readonly<z.infer<typeof DONE>>

const REFUSED = z.object({ refused: z.object({ code: z.string(), message: z.string() }) })

export function encodeQuestion(question: Question): string {
  return JSON.stringify(question)
}

/** @returns undefined for what this version does not know */
export function decodeQuestion(text: string): Question | undefined {
  return QUESTION.safeParse(parsed(text)).data
}

export function encodeAnswer(answer: StandingAnswer | DoneAnswer): string {
  const text = JSON.stringify(answer)
  if (text.length <= MAX_ANSWER_LENGTH) return text
  return encodeRefusal('UNAVAILABLE', 'this server has more agents than it can tell others of')
}

export function encodeRefusal(code: ErrorCode, message: string): string {
  return JSON.stringify({ refused: { code, message } })
}

/** @throws IdentityError what the other server refused, or UNAVAILABLE for what cannot be read */
export function decodeStanding(text: string): StandingAnswer {
  return decode(STANDING, text)
}

/** @throws IdentityError as `decodeStanding` */
export function decodeDone(text: string): DoneAnswer {
  return decode(DONE, text)
}

function decode<T>(schema: z.ZodType<T>, text: string): T {
  const json = text.length <= MAX_ANSWER_LENGTH ? parsed(text) : undefined
  const refused = REFUSED.safeParse(json).data?.refused
  if (refused !== undefined) {
    throw new IdentityError(codeOf(refused.code), refused.message)
  }
  const answer = schema.safeParse(json)
  if (answer.success) return answer.data
  throw new IdentityError('UNAVAILABLE', 'its answer cannot be read: is it of another version?')
}

const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  ...(['REQUEST_INVALID', 'PRECONDITION_FAILED', 'NOT_IMPLEMENTED', 'UNAVAILABLE'] as const),
])

/** Cast: the set holds codes alone. Any other is a failure of the other server. */
const codeOf = (code: string) => (CODES.has(code) ? (code as ErrorCode) : 'INTERNAL')

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
