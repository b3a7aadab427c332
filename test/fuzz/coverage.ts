/**
 * Which blocks of our own sources have run, as V8 counts them. Counts are taken after a batch of inputs, not after each:
 * taking them costs about a millisecond, and most batches show nothing new.
 *
 * jazzer.js is not used: its 4.x loads only with glibc 2.38 and later, and its 2.x compiles or fetches a program when it
 * is installed. V8's counters need neither, and see TypeScript as Node runs it.
 */
import { type Profiler, Session } from 'node:inspector'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Characters that have run, of one function; 1 for each. */
type Covered = Uint8Array

/** Functions by their position in one script. */
type Functions = Map<string, Covered>

export interface Coverage extends Disposable {
  /** Forgets what ran since the last look: it is not to be held against the next. */
  skip(): void
  /** Has anything run since the last look that never ran before? Nothing is remembered. */
  hasNews(): boolean
  /** As `hasNews`, and what ran is remembered. */
  learn(): boolean
  /** Characters of source that have run so far. */
  readonly size: () => number
}

const ROOT = pathToFileURL(`${join(import.meta.dirname, '..', '..')}/`).href
const FOREIGN = [`${ROOT}node_modules/`, `${ROOT}test/`]
const isOurs = (url: string) => url.startsWith(ROOT) && !FOREIGN.some((one) => url.startsWith(one))

export function openCoverage(): Coverage {
  const session = new Session()
  session.connect()
  const post = (method: string, params?: object): unknown => {
    let answer: unknown
    session.post(method, params ?? {}, (error, result) => {
      // Cast: the session of the own thread answers before `post` returns.
      if (error !== null) throw error as Error
      answer = result
    })
    return answer
  }
  post('Profiler.enable')
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const scripts = new Map<string, Functions>()
  let size = 0

  const take = () =>
    // Cast: the protocol's own answer to this method.
    (post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType).result.filter(
      ({ url }) => isOurs(url),
    )

  /** @returns how many characters of source ran for the first time */
  const compare = (isRemembered: boolean): number => {
    let fresh = 0
    for (const { url, functions } of take()) {
      const known = scripts.get(url) ?? new Map<string, Covered>()
      scripts.set(url, known)
      for (const { ranges } of functions) fresh += compareFunction(known, ranges, isRemembered)
    }
    if (isRemembered) size += fresh
    return fresh
  }
  return {
    skip: () => void take(),
    hasNews: () => compare(false) > 0,
    learn: () => compare(true) > 0,
    size: () => size,
    [Symbol.dispose]: () => session.disconnect(),
  }
}

/** Ranges are told outermost first; each overrules those around it. */
function compareFunction(
  known: Functions,
  ranges: readonly Profiler.CoverageRange[],
  isRemembered: boolean,
): number {
  const [whole] = ranges
  if (whole === undefined || whole.count === 0) return 0
  const { startOffset: start, endOffset: end } = whole
  const name = `${start}-${end}`
  const seen = known.get(name)
  const ran = new Uint8Array(end - start)
  for (const { startOffset, endOffset, count } of ranges) {
    ran.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start)
  }
  let fresh = 0
  for (let at = 0; at < ran.length; at += 1) if (ran[at] === 1 && seen?.[at] !== 1) fresh += 1
  if (isRemembered && fresh > 0) {
    for (let at = 0; at < ran.length; at += 1) if (seen?.[at] === 1) ran[at] = 1
    known.set(name, ran)
  }
  return fresh
}
