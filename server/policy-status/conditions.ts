/**
 * What the status of a policy says of it, and what of a status has to be written. Pure. Conditions of others are left as they
 * are, and what says the same already is not written again, whoever wrote it.
 */
import { isRecord, listAt, textAt } from '../../kubernetes/object.ts'
import type { PolicyObject } from '../../policy/cluster-object.ts'
import type { Finding } from '../../policy/lint/finding.ts'

export interface Condition {
  readonly type: 'Accepted' | 'LintPassed'
  readonly status: 'True' | 'False' | 'Unknown'
  /** One word. */
  readonly reason: string
  readonly message: string
  /** Of the object that this is about. */
  readonly observedGeneration: number
}

export interface StatusEdit {
  readonly observedGeneration: number
  readonly conditions: readonly unknown[]
}

/** Characters of one message: more is cut, and a status stays small. */
const MAX_MESSAGE = 4_096
/** Mistakes or findings that one message lists. */
const MAX_LISTED = 20

/** @param findings of this object alone */
export function conditionsOf(
  { faults, warnings }: Pick<PolicyObject, 'faults' | 'warnings'>,
  findings: readonly Finding[],
  observedGeneration: number,
): readonly Condition[] {
  if (faults.length > 0) {
    const message = joined(
      faults.map(({ field, message: what }) => `${field || 'object'}: ${what}`),
    )
    return [
      {
        ...{ type: 'Accepted', status: 'False', reason: 'Invalid', observedGeneration },
        message: `not enforced; proxies keep the last good policies of the namespace, and those that start deny everything there: ${message}`,
      },
      {
        ...{ type: 'LintPassed', status: 'Unknown', reason: 'NotAccepted', observedGeneration },
        message: 'only what is accepted is looked at',
      },
    ]
  }
  const grave = findings.filter(({ severity }) => severity !== 'info')
  const told = [
    ...grave.map(({ severity, code, field, what, instead }) =>
      [`${severity} ${code} at ${field}: ${what}`, ...(instead === '' ? [] : [instead])].join('; '),
    ),
    // What the parser says of rules, the linter tells with what to write instead.
    ...warnings
      .filter(({ field }) => !field.startsWith('spec.rules'))
      .map(({ field, message: what }) => `warning at ${field}: ${what}`),
  ]
  return [
    {
      ...{ type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration },
      message: 'enforced by every proxy that it selects',
    },
    told.length === 0
      ? {
          ...{ type: 'LintPassed', status: 'True', reason: 'NothingFound', observedGeneration },
          message: '',
        }
      : {
          ...{ type: 'LintPassed', status: 'False', reason: 'FindingsExist', observedGeneration },
          message: joined(told),
        },
  ]
}

function joined(told: readonly string[]): string {
  const shown = told.slice(0, MAX_LISTED)
  const more = told.length - shown.length
  const text = [...shown, ...(more === 0 ? [] : [`and ${more} more`])].join('\n')
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`
}

/**
 * @param present `status` as the object has it
 * @returns undefined when it says all of this already
 */
export function statusEdit(
  present: unknown,
  wanted: readonly Condition[],
  now: Date,
): StatusEdit | undefined {
  const before = listAt(present, 'conditions')
  const find = (type: string) => before.find((one) => textAt(one, 'type') === type)
  if (wanted.every((one) => says(find(one.type), one))) return undefined
  const own = new Set<string | undefined>(wanted.map(({ type }) => type))
  const others = before.filter((one) => !own.has(textAt(one, 'type')))
  const conditions = wanted.map((one) => {
    const old = find(one.type)
    const since =
      textAt(old, 'status') === one.status ? textAt(old, 'lastTransitionTime') : undefined
    return { ...one, lastTransitionTime: since ?? now.toISOString() }
  })
  return {
    observedGeneration: Math.max(0, ...wanted.map((one) => one.observedGeneration)),
    conditions: [...others, ...conditions],
  }
}

function says(old: unknown, wanted: Condition): boolean {
  return (
    textAt(old, 'status') === wanted.status &&
    textAt(old, 'reason') === wanted.reason &&
    (textAt(old, 'message') ?? '') === wanted.message &&
    isRecord(old) &&
    // Written as text by those who take it for a large number.
    String(wanted.observedGeneration) === textOf(old.observedGeneration)
  )
}

/** Anybody may have written it: an object is turned into no text, for it may refuse to be. */
const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''
