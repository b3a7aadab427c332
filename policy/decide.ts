/**
 * Decides whether a connection or a request may pass. This is the only place that makes a permit.
 *
 * Order: external providers of CUSTOM policies, then DENY, then ALLOW; AUDIT and dry-run policies are only told. On
 * doubt the answer is deny: while a provider that must be asked has not agreed, nothing passes.
 */
import type {
  CompiledAuthorization,
  ConnectionAuthorization,
  RequestAuthorization,
} from './compile.ts'
import type { ConnectionFacts, RequestFacts } from './facts.ts'
import { allMatches, firstMatch, type RuleSet } from './rule-set.ts'
import type { Deny, Permit, RuleName, ShadowVerdict, Verdict } from './verdict.ts'
import { type View, viewFor } from './view.ts'

/** A provider that must agree before anything passes, and the rule that says so. */
export interface ProviderQuestion {
  readonly provider: string
  readonly by: RuleName
  /** `missing`: the mesh has no provider of that name; deny without asking. */
  readonly state: 'known' | 'missing'
}

const NOBODY: ReadonlySet<string> = new Set()
const NO_SHADOW: ShadowVerdict = { allow: undefined, deny: undefined }

/** The verdict when nobody outside needs to be asked, which is a deny when somebody does. */
export function decide(compiled: ConnectionAuthorization, facts: ConnectionFacts): Verdict
export function decide(compiled: RequestAuthorization, facts: RequestFacts): Verdict
export function decide(compiled: CompiledAuthorization, facts: ConnectionFacts): Verdict {
  return judge(compiled, viewFor(compiled, facts), facts, NOBODY)
}

/** The verdict when these providers, by name, have agreed to this very connection or request. */
export function decideAfterProviders(
  compiled: ConnectionAuthorization,
  facts: ConnectionFacts,
  agreed: ReadonlySet<string>,
): Verdict
export function decideAfterProviders(
  compiled: RequestAuthorization,
  facts: RequestFacts,
  agreed: ReadonlySet<string>,
): Verdict
export function decideAfterProviders(
  compiled: CompiledAuthorization,
  facts: ConnectionFacts,
  agreed: ReadonlySet<string>,
): Verdict {
  return judge(compiled, viewFor(compiled, facts), facts, agreed)
}

/** Whom to ask before deciding. Empty for most: a provider is asked only where a rule of its policies matches. */
export function providersToAsk(
  compiled: ConnectionAuthorization,
  facts: ConnectionFacts,
): readonly ProviderQuestion[]
export function providersToAsk(
  compiled: RequestAuthorization,
  facts: RequestFacts,
): readonly ProviderQuestion[]
export function providersToAsk(
  compiled: CompiledAuthorization,
  facts: ConnectionFacts,
): readonly ProviderQuestion[] {
  return questions(compiled, viewFor(compiled, facts))
}

function questions(compiled: CompiledAuthorization, view: View): readonly ProviderQuestion[] {
  if (compiled.custom.length === 0) return []
  return compiled.custom.flatMap(({ provider, state, rules }) => {
    const by = firstMatch(rules, view)
    return by === undefined ? [] : [{ provider, by, state }]
  })
}

function judge(
  compiled: CompiledAuthorization,
  view: View,
  facts: ConnectionFacts,
  agreed: ReadonlySet<string>,
): Verdict {
  const audited = compiled.audit.rules.length === 0 ? [] : allMatches(compiled.audit, view)
  const shadow = shadowOf(compiled, view)
  const deny = (why: Deny['why'], by: RuleName | undefined): Deny => ({
    kind: 'deny',
    why,
    by,
    audited,
    shadow,
  })
  const unasked = questions(compiled, view).find(
    ({ provider, state }) => state === 'missing' || !agreed.has(provider),
  )
  if (unasked !== undefined) {
    return deny(unasked.state === 'missing' ? 'provider-missing' : 'provider-unasked', unasked.by)
  }
  const denied = firstMatch(compiled.deny, view)
  if (denied !== undefined) return deny('deny-rule', denied)
  // The cast is the decision: everything above has had its chance to refuse.
  const permit = facts as Permit
  if (compiled.allow === undefined) {
    return { kind: 'allow', permit, why: 'no-allow-policy', by: undefined, audited, shadow }
  }
  const by = firstMatch(compiled.allow, view)
  return by === undefined
    ? deny('no-allow-matched', undefined)
    : { kind: 'allow', permit, why: 'allow-rule', by, audited, shadow }
}

function shadowOf({ dryAllow, dryDeny }: CompiledAuthorization, view: View): ShadowVerdict {
  if (dryAllow === undefined && dryDeny === undefined) return NO_SHADOW
  return {
    allow: dryAllow && tried(dryAllow, view, 'allowed', 'denied'),
    deny: dryDeny && tried(dryDeny, view, 'denied', 'allowed'),
  }
}

function tried<Result extends 'allowed' | 'denied'>(
  rules: RuleSet,
  view: View,
  matched: Result,
  otherwise: Result,
): { readonly result: Result; readonly by: RuleName | undefined } {
  const by = firstMatch(rules, view)
  return { result: by === undefined ? otherwise : matched, by }
}
