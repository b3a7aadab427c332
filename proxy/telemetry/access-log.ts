/**
 * One JSON line for each request or connection that has ended. Lines of one turn are written together; while the disk cannot
 * follow, a bounded amount waits and what is beyond it is dropped and counted, for traffic must not wait for a log.
 */
import { close, open, write } from 'node:fs'
import { promisify } from 'node:util'
import type { Log } from '../../log/open-log.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'

export type AccessLine = Readonly<Record<string, string | number | boolean | undefined>>

export interface AccessLog extends AsyncDisposable {
  readonly isOn: boolean
  write(line: AccessLine): void
  /** Opens the file anew, for whoever has moved the old one away. */
  reopen(): Promise<void>
  readonly dropped: number
}

const MODE = 0o640
/** Characters that wait for the disk. */
const MAX_PENDING = 4 * 1024 * 1024
const STDOUT = 'stdout'

const openFile = promisify(open)
const closeFile = promisify(close)
const writeFile = promisify(write)

export const NO_ACCESS_LOG: AccessLog = {
  isOn: false,
  write() {},
  async reopen() {},
  dropped: 0,
  async [Symbol.asyncDispose]() {},
}

/** @throws IdentityError CONFIG_INVALID when the file cannot be opened */
export async function openAccessLog(target: string | undefined, log: Log): Promise<AccessLog> {
  if (target === undefined) return NO_ACCESS_LOG
  let fd = await descriptorOf(target)
  let pending: string[] = []
  let pendingChars = 0
  let dropped = 0
  let flushing: Promise<void> | undefined
  const flush = async () => {
    while (pending.length > 0) {
      const text = pending.join('')
      pending = []
      pendingChars = 0
      await writeAll(fd, text).catch((err) => {
        dropped += 1
        log.error({ err }, 'The access log cannot be written')
      })
    }
    flushing = undefined
  }
  return {
    isOn: true,
    write(line) {
      if (pendingChars > MAX_PENDING) {
        dropped += 1
        return
      }
      const text = `${JSON.stringify(line)}\n`
      pending.push(text)
      pendingChars += text.length
      flushing ??= Promise.resolve().then(flush)
    },
    async reopen() {
      if (target === STDOUT) return
      const old = fd
      fd = await descriptorOf(target)
      await flushing
      await closeFile(old)
    },
    get dropped() {
      return dropped
    },
    async [Symbol.asyncDispose]() {
      await flushing
      if (target !== STDOUT) await closeFile(fd)
    },
  }
}

async function descriptorOf(target: string): Promise<number> {
  if (target === STDOUT) return process.stdout.fd
  try {
    return await openFile(target, 'a', MODE)
  } catch (error) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `cannot open the access log ${JSON.stringify(target)}: ${reasonOf(error)}; choose another access_log`,
      { cause: error },
    )
  }
}

async function writeAll(fd: number, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await writeFile(fd, bytes, at)
    at += bytesWritten
  }
}
