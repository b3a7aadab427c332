/**
 * A wall clock for real programs that a test can move while they run: a small library, compiled when it is asked for, comes
 * between a program and the kernel's clock. Timers and monotonic clocks are left alone.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../spiffe/clock.ts'
import { isInstalled } from './process.ts'

export interface MovedClock extends Disposable {
  /** Variables of a program's environment that make it go by this clock. */
  readonly env: Readonly<Record<string, string>>
  now(): Date
  /** From now on so many seconds ahead of the machine's clock; negative: behind it. */
  moveTo(seconds: number): void
}

/** Undefined: there is no compiler, and no program's clock can be moved. */
export const compiler = ['cc', 'gcc', 'clang'].find(isInstalled)

const SOURCE = join(import.meta.dirname, 'moved-clock.c')
const MS_PER_SECOND = 1_000

/** @throws Error when the library cannot be compiled */
export function openMovedClock(): MovedClock {
  if (compiler === undefined) throw new Error('no C compiler: install one to move clocks')
  const dir = mkdtempSync(join(tmpdir(), 'steeple-clock-'))
  const library = join(dir, 'moved-clock.so')
  const made = spawnSync(compiler, ['-O1', '-shared', '-fPIC', '-o', library, SOURCE])
  if (made.status !== 0) throw new Error(`${compiler} failed: ${made.stderr}`)
  const path = join(dir, 'seconds')
  const file = openSync(path, 'w')
  let moved = 0
  const moveTo = (seconds: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(seconds))
    writeSync(file, bytes, 0, bytes.length, 0)
    moved = seconds
  }
  moveTo(0)
  return {
    env: { LD_PRELOAD: library, MOVED_CLOCK: path },
    now: () => new Date(systemClock.now().getTime() + moved * MS_PER_SECOND),
    moveTo,
    [Symbol.dispose]() {
      closeSync(file)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
