/** Which line of the program wrote a log line: `log_source_location`. It costs a stack trace for each line. */
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SourceLocation {
  /** `main.ts:80` */
  readonly file: string
  readonly func: string
}

const FRAME = /^\s*at (?:(?<func>[^()]*?) \()?(?<place>[^()\s]+):(?<line>\d+):\d+\)?$/
/** The log's own frames, above that of the caller. */
const OURS = [
  fileURLToPath(import.meta.url),
  fileURLToPath(new URL('open-log.ts', import.meta.url)),
]
const MAX_FRAMES = 20

/** @returns nothing when the caller cannot be told from the stack */
export function sourceLocation(): SourceLocation | Record<string, never> {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = MAX_FRAMES
  const { stack = '' } = new Error()
  Error.stackTraceLimit = before
  return callerIn(stack) ?? {}
}

/** @param stack as V8 prints it */
export function callerIn(stack: string): SourceLocation | undefined {
  for (const frame of stack.split('\n').slice(1)) {
    const { func = '', place = '', line = '' } = FRAME.exec(frame)?.groups ?? {}
    const path = place.startsWith('file:') ? fileURLToPath(place) : place
    if (path === '' || path.includes('/node_modules/pino/') || OURS.includes(path)) continue
    return { file: `${basename(path)}:${line}`, func: func.replace(/^async /, '') }
  }
  return undefined
}
