/**
 * The providers of a mesh, asked one after the other about one request or connection until one of them refuses. A
 * provider that cannot be asked refuses with `statusOnError`, unless it is configured to fail open.
 */

import type { Log } from '../../log/open-log.ts'
import type { ProviderQuestion } from '../../policy/decide.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { connectPlain } from '../forward/connect-plain.ts'
import type { HeadEdits, LocalAnswer } from '../http/exchange.ts'
import { textAnswer } from '../http/local-answer.ts'
import type { LogLimit } from '../telemetry/log-limit.ts'
import { openGrpcChecker } from './check-grpc.ts'
import { openHttpChecker } from './check-http.ts'
import type { Check, CheckAnswer, CheckQuestion, ExtAuthzProvider } from './provider.ts'

export type Consent =
  | {
      readonly kind: 'agreed'
      /** Names of those who were asked and agreed. */
      readonly agreed: ReadonlySet<string>
      readonly edits: HeadEdits | undefined
    }
  | { readonly kind: 'refused'; readonly agreed: ReadonlySet<string>; readonly answer: LocalAnswer }

export interface ExtAuthzProviders extends Disposable {
  /** Never rejects. @param known providers that have agreed already and are not asked again */
  ask(
    questions: readonly ProviderQuestion[],
    about: CheckQuestion,
    known?: ReadonlySet<string>,
  ): Promise<Consent>
}

export interface ProvidersOptions {
  readonly providers: readonly ExtAuthzProvider[]
  readonly clock: Clock
  readonly log: Log
  readonly logLimit: LogLimit
  /** Where connections are captured: what marks our own. */
  readonly socketMark: number | undefined
}

/** Questions to one provider that wait for their answers; beyond, it counts as unreachable. */
const MAX_IN_FLIGHT = 1024

interface Opened extends Disposable {
  readonly provider: ExtAuthzProvider
  readonly check: Check
  inFlight: number
}

export function openProviders(options: ProvidersOptions): ExtAuthzProviders {
  const { clock, log, logLimit, socketMark } = options
  const opened = new Map<string, Opened>()
  for (const provider of options.providers) {
    const checker =
      provider.protocol === 'grpc'
        ? openGrpcChecker(provider, clock)
        : openHttpChecker(provider, (signal) => connectPlain(provider.address, signal, socketMark))
    opened.set(provider.name, { provider, inFlight: 0, ...checker })
  }
  const tell = (provider: string, reason: string, failOpen: boolean) => {
    if (logLimit.next() === undefined) return
    log.warn({ provider, reason, fail_open: failOpen }, 'An authorization provider gave no answer')
  }
  return {
    async ask(questions, about, known = new Set()) {
      const agreed = new Set(known)
      let edits: HeadEdits | undefined
      for (const { provider: name } of questions) {
        if (agreed.has(name)) continue
        const one = opened.get(name)
        // Fails closed: a provider that nobody has described cannot agree.
        if (one === undefined) return refusal(agreed, textAnswer(403, '', 'ext_authz_error'))
        const answer = await within(one, about, clock)
        switch (answer.kind) {
          case 'agreed':
            edits = merged(edits, answer.edits)
            break
          case 'refused':
            return refusal(agreed, answer.answer)
          case 'failed': {
            const { failOpen, statusOnError } = one.provider
            tell(name, answer.reason, failOpen)
            if (!failOpen) return refusal(agreed, textAnswer(statusOnError, '', 'ext_authz_error'))
            break
          }
          default:
            answer satisfies never
        }
        agreed.add(name)
      }
      return { kind: 'agreed', agreed, edits }
    },
    [Symbol.dispose]() {
      for (const one of opened.values()) one[Symbol.dispose]()
    },
  }
}

const refusal = (agreed: ReadonlySet<string>, answer: LocalAnswer): Consent => ({
  kind: 'refused',
  ...{ agreed, answer },
})

async function within(one: Opened, about: CheckQuestion, clock: Clock): Promise<CheckAnswer> {
  const { timeoutMs } = one.provider
  if (one.inFlight >= MAX_IN_FLIGHT) {
    return { kind: 'failed', reason: `${MAX_IN_FLIGHT} questions wait for it already` }
  }
  const done = new AbortController()
  const giveUp = new AbortController()
  const late = clock.sleep(timeoutMs, done.signal).then((): CheckAnswer => {
    // Not after an answer: its connection is kept.
    if (!done.signal.aborted) giveUp.abort()
    return { kind: 'failed', reason: `no answer within ${timeoutMs / 1000} s` }
  })
  one.inFlight += 1
  try {
    return await Promise.race([one.check(about, giveUp.signal), late])
  } finally {
    one.inFlight -= 1
    done.abort()
  }
}

/** What the later one says of a header takes the place of what an earlier one said. */
function merged(
  before: HeadEdits | undefined,
  after: HeadEdits | undefined,
): HeadEdits | undefined {
  if (before === undefined || after === undefined) return after ?? before
  return {
    path: undefined,
    remove: [...before.remove, ...after.remove],
    add: [...before.add.filter(([name]) => !after.remove.includes(name)), ...after.add],
  }
}
