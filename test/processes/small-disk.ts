/** File systems in memory, so small that a test can fill them. For root alone. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const canMount = process.getuid?.() === 0
const BLOCK_BYTES = 4_096

export interface SmallDisk extends Disposable {
  readonly dir: string
  /** Runs `start` so that the temporary directories it makes are on this disk. */
  holding<T>(start: () => Promise<T>): Promise<T>
  remount(mode: 'ro' | 'rw'): void
  /** Until there is no room for another block. @returns the path of the file that takes it all */
  fill(): string
}

/** @throws Error when it cannot be mounted */
export function mountSmallDisk(mebibytes = 8): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-disk-'))
  const mount = (...args: readonly string[]) => {
    const { status, stderr } = spawnSync('mount', args)
    if (status !== 0) throw new Error(`cannot mount: ${stderr}`)
  }
  mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', dir)
  return {
    dir,
    async holding(start) {
      const before = process.env.TMPDIR
      process.env.TMPDIR = dir
      try {
        return await start()
      } finally {
        if (before === undefined) delete process.env.TMPDIR
        else process.env.TMPDIR = before
      }
    },
    remount: (mode) => mount('-o', `remount,${mode}`, dir),
    fill() {
      const path = join(dir, 'filler')
      const file = openSync(path, 'a')
      try {
        for (;;) writeSync(file, Buffer.alloc(BLOCK_BYTES))
      } catch {
        return path
      } finally {
        closeSync(file)
      }
    },
    [Symbol.dispose]() {
      spawnSync('umount', ['-l', dir])
      rmdirSync(dir)
    },
  }
}
