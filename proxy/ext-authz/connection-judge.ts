/**
 * The judgement of one connection whose requests nobody looks at. External providers are asked once, when it begins; what they
 * agreed to stays agreed while the connection lives. A policy that comes later and wants a provider that has not been
 * asked denies it: fails closed.
 */
import type { ProviderQuestion } from '../../policy/decide.ts'
import type { ConnectionFacts } from '../../policy/facts.ts'
import type { Verdict } from '../../policy/verdict.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { ExtAuthzProviders } from './providers.ts'

export interface ConnectionJudge {
  /** Asked when `ask` is over, and again after every change. */
  judge(): Verdict
  /** Undefined where policy wants nobody to be asked. Never rejects. */
  readonly ask: (() => Promise<void>) | undefined
}

export interface ConnectionPolicy {
  providersOf(facts: ConnectionFacts): readonly ProviderQuestion[]
  judge(facts: ConnectionFacts, agreed: ReadonlySet<string>): Verdict
}

export function connectionJudge(
  policy: ConnectionPolicy,
  providers: ExtAuthzProviders,
  self: SpiffeId,
  facts: ConnectionFacts,
): ConnectionJudge {
  let agreed: ReadonlySet<string> = NOBODY
  const questions = policy.providersOf(facts)
  return {
    judge: () => policy.judge(facts, agreed),
    ask:
      questions.length === 0
        ? undefined
        : async () => {
            ;({ agreed } = await providers.ask(questions, { facts, self, request: undefined }))
          },
  }
}

const NOBODY: ReadonlySet<string> = new Set()
