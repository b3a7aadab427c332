/**
 * Mistakes in a configuration and how they are told: all at once, one line each, as
 * `file:line:column: message (expected …)`. Values that may be secrets never appear in them.
 */
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { type Place, showPlace } from './tree.ts'

export interface Mistake {
  readonly place: Place
  readonly message: string
  readonly expected: string | undefined
}

/** Collects what is wrong and what is merely worth knowing, while a whole file is read. */
export interface Report {
  readonly mistakes: Mistake[]
  readonly warnings: string[]
}

export function newReport(): Report {
  return { mistakes: [], warnings: [] }
}

export function addMistake(
  report: Report,
  place: Place,
  message: string,
  expected?: string | undefined,
): void {
  report.mistakes.push({ place, message, expected })
}

export function addWarning(report: Report, place: Place, message: string): void {
  report.warnings.push(`${showPlace(place)}: ${message}`)
}

/** More mistakes than this are only counted. */
const MAX_SHOWN_MISTAKES = 100

/** @throws IdentityError CONFIG_INVALID listing every mistake, in the order of the file */
export function throwMistakes(report: Report): void {
  const all = report.mistakes.toSorted((a, b) => inOrder(a.place, b.place)).map(showMistake)
  if (all.length === 0) return
  const shown = all.slice(0, MAX_SHOWN_MISTAKES)
  if (all.length > shown.length) shown.push(`and ${all.length - shown.length} more mistakes`)
  throw new IdentityError('CONFIG_INVALID', shown.join('\n'))
}

/** Ends the reading of a text whose syntax is broken: what follows could not be trusted. */
export function refuseAt(place: Place, message: string, expected?: string): never {
  throw new IdentityError('CONFIG_INVALID', showMistake({ place, message, expected }))
}

/** Adds what reading another file threw; anything but a refusal is a bug and goes on. */
export function addRefusal(report: Report, place: Place, what: string, error: unknown): void {
  if (!(error instanceof IdentityError)) throw error
  addMistake(report, place, `${what}: ${reasonOf(error)}`)
}

function showMistake({ place, message, expected }: Mistake): string {
  const hint = expected === undefined ? '' : ` (expected ${expected})`
  return `${showPlace(place)}: ${message}${hint}`
}

/** Flags come before files, and each file keeps its own order. */
function inOrder(a: Place, b: Place): number {
  if (a.kind === 'flag') return b.kind === 'flag' ? 0 : -1
  if (b.kind === 'flag') return 1
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}
