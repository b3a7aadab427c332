/** The differences that are meant, each kind with its reason and with what stays the same all the same. */
import { differing, type Step } from './story.ts'

export const ITEM = 'replies.0.results.0'
/** All of an answer that one server gives and the other refuses. */
export const REFUSAL = ['code', 'message', 'replies.0']
export const ITEM_REFUSAL = (value: string) => [
  `${ITEM}.status.code`,
  `${ITEM}.status.message`,
  ...(value === '' ? [] : [`${ITEM}.${value}`]),
]

/** Same code, same beginning. */
export const inOurWords = (step: Step, prefix: string): Step =>
  differing(
    step,
    ['message'],
    'SPIRE passes on what its libraries say; the cause is in our words',
    prefix,
  )
export const itemInOurWords = (step: Step, prefix: string, at = 0): Step =>
  differing(
    step,
    [`replies.0.results.${at}.status.message`],
    'SPIRE passes on what its libraries or its database say; the cause is in our words',
    prefix,
  )

/** Refused by both. */
export const noFailure = (step: Step): Step =>
  differing(step, ['code', 'message'], 'SPIRE calls it a failure of its own; the request is wrong')

export const weakKey = (step: Step, at: readonly string[] = REFUSAL): Step =>
  differing(step, at, 'SPIRE takes RSA keys of less than 2048 bits; we do not')
export const forgedCsr = (step: Step): Step =>
  differing(step, REFUSAL, 'SPIRE does not ask here whether whoever sends a CSR has its key; we do')
export const tooLong = (step: Step, at: readonly string[]): Step =>
  differing(step, at, 'SPIRE takes IDs of any length; SPIFFE-ID §2.3 sets a limit')
export const emptyCertificate = (step: Step, at: readonly string[]): Step =>
  differing(
    step,
    at,
    'SPIRE stores an empty certificate, and cannot read its bundle any more; we refuse it',
  )
/** Removes what one of the two has taken, so that both go on with the same. */
export const takenByOne = (step: Step, at: readonly string[]): Step =>
  differing(step, at, 'one of the two has refused it before')
export const lastPage = (step: Step): Step =>
  differing(
    step,
    ['replies.0.next_page_token'],
    'we know that nothing follows; SPIRE leads to an empty page',
  )
export const libraryWords = (step: Step): Step =>
  differing(step, ['message'], 'the gRPC library says it, and ours is another')

export const cutShort = (step: Step): Step =>
  differing(
    step,
    ['code', 'message'],
    'our library reads a text that is cut or not UTF-8 as far as it goes; nothing is registered by that name',
  )
