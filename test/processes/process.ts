/** Starts real programs for tests, hears what they print, and leaves none behind. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { systemClock } from '../../spiffe/clock.ts'

const STOP_MS = 12_000
/** How long anything is waited for on a machine that has other things to do. */
const PATIENCE_MS = 90_000
/** Between two looks; asking often is what makes a busy machine slow. */
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 500

export interface Running extends AsyncDisposable {
  readonly pid: number
  /** Everything printed so far, both streams. */
  output(): string
  /** The first line, past or future, that matches; rejects when the program ends without one. */
  line(pattern: RegExp): Promise<RegExpMatchArray>
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  kill(signal: NodeJS.Signals): void
}

export interface StartOptions {
  readonly env?: Record<string, string>
  readonly cwd?: string
}

/** Whatever still runs when the tests' own process ends, e.g. after a test that ran out of time, ends with it. */
const alive = new Set<ChildProcess>()
const endAll = () => {
  for (const child of alive) child.kill('SIGKILL')
}
process.once('exit', endAll)
process.once('SIGTERM', () => {
  endAll()
  process.kill(process.pid, 'SIGTERM') // nobody listens any more: it ends as it would have
})

function keep(child: ChildProcess): void {
  alive.add(child)
  child.once('close', () => alive.delete(child))
}

export function start(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Running {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  keep(child)
  const lines: string[] = []
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      tell()
    })
  }
  let result: number | string | undefined
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      result = code ?? signal ?? 'unknown'
      resolve(result)
      tell()
    })
  })
  return {
    pid: child.pid ?? -1,
    output: () => lines.join('\n'),
    line(pattern) {
      return new Promise((resolve, reject) => {
        let next = 0
        const look = () => {
          for (; next < lines.length; next++) {
            const match = lines[next]?.match(pattern)
            if (match) {
              listeners.delete(look)
              return resolve(match)
            }
          }
          if (result !== undefined) {
            listeners.delete(look)
            const said = lines.join('\n')
            reject(
              new Error(`${command} ended with ${result} before printing ${pattern}:\n${said}`),
            )
          }
        }
        listeners.add(look)
        look()
      })
    },
    ended,
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (result !== undefined) return
      child.kill('SIGTERM')
      const patience = new AbortController()
      const slow = systemClock.sleep(STOP_MS, patience.signal).then(() => {
        if (result === undefined) child.kill('SIGKILL')
      })
      await ended.catch(() => {})
      patience.abort()
      await slow
    },
  }
}

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, at the latest after `timeoutMs`: its exit code is null then. */
export async function run(
  command: string,
  args: readonly string[],
  options: StartOptions & { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<Result> {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  })
  keep(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.on('error', () => {}) // the program may end without reading
  child.stdin.end(options.input ?? '')
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

/** Asks again until `attempt` gives something other than undefined or false; errors count as "not yet". */
export async function until<T>(
  what: string,
  attempt: () => Promise<T | undefined | false>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const end = systemClock.now().getTime() + timeoutMs
  let last: unknown
  let pauseMs = FIRST_PAUSE_MS
  while (systemClock.now().getTime() < end) {
    try {
      const got = await attempt()
      if (got !== undefined && got !== false) return got
    } catch (error) {
      last = error
    }
    await systemClock.sleep(pauseMs)
    pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS)
  }
  throw new Error(`gave up waiting for ${what}`, { cause: last })
}
