/** How the doctor of a cluster tells what it found: a line for each check, then what is wrong; or the same as JSON. */
import type { Json } from '../output/go-json.ts'
import type { Check, Finding } from './check.ts'

export function toText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.map((check) => {
    const seen = check.unexamined === undefined ? check.seen : `not looked at: ${check.unexamined}`
    return `${MARKS[stateOf(check)]}  ${check.name.padEnd(width)}  ${seen}`.trimEnd()
  })
  const findings = checks.flatMap((check) => check.findings.map(findingText))
  const last = checks.every((check) => stateOf(check) === 'ok') ? ['', 'Nothing is wrong'] : []
  return `${printable([...lines, ...findings.flatMap((text) => ['', text]), ...last].join('\n'))}\n`
}

/** Paths and messages are chosen by others: what would steer a terminal is shown as what it is. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return character === '\n' ? character : `\\u{${code.toString(16)}}`
  })
}

type State = 'ok' | 'warning' | 'problem' | 'unknown'

const MARKS: Readonly<Record<State, string>> = {
  ok: 'ok     ',
  warning: 'WARNING',
  problem: 'PROBLEM',
  unknown: 'unknown',
}

function stateOf({ findings, unexamined }: Check): State {
  if (unexamined !== undefined) return 'unknown'
  if (findings.some(({ severity }) => severity === 'problem')) return 'problem'
  return findings.length > 0 ? 'warning' : 'ok'
}

function findingText({ severity, subject, problem, remedy }: Finding): string {
  return `${severity.toUpperCase()}: ${subject}: ${problem}\n  To do: ${remedy}`
}

export function toJson(checks: readonly Check[]): Json {
  return {
    healthy: checks.every((check) => /^(ok|warning)$/.test(stateOf(check))),
    checks: checks.map((check) => ({
      name: check.name,
      state: stateOf(check),
      seen: check.seen,
      unexamined: check.unexamined ?? null,
      findings: check.findings.map((finding) => ({ ...finding })),
    })),
  }
}
