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

export interface OpenAccessLog extends AccessLog {
  /** Lines of a worker, each with its end. */
  append(lines: string): void
}

const MODE = 0o640
/** Characters that wait for the disk. */
const MAX_PENDING = 4 * 1024 * 1024
const STDOUT = 'stdout'

const openFile = promisify(open)
const closeFile = promisify(close)
const writeFile = promisify(write)

export const NO_ACCESS_LOG: OpenAccessLog = {
  isOn: false,
  write() {},
  append() {},
  async reopen() {},
  dropped: 0,
  async [Symbol.asyncDispose]() {},
}

/** @throws IdentityError CONFIG_INVALID when the file cannot be opened */
export async function openAccessLog(target: string | undefined, log: Log): Promise<OpenAccessLog> {
  if (target === undefined) return NO_ACCESS_LOG
  let fd = await descriptorOf(target)
  const lines = boundedLines((text) => writeAll(fd, text), log)
  return {
    ...logOf(lines),
    append: lines.append,
    get dropped() {
      return lines.dropped()
    },
    async reopen() {
      if (target === STDOUT) return
      const old = fd
      fd = await descriptorOf(target)
      await lines.settled()
      await closeFile(old)
    },
    async [Symbol.asyncDispose]() {
      await lines.settled()
      if (target !== STDOUT) await closeFile(fd)
    },
  }
}

/** For a worker, whose lines somebody else writes. @param send resolves when they have been taken */
export function openSentAccessLog(send: (lines: string) => Promise<void>, log: Log): AccessLog {
  const lines = boundedLines(send, log)
  return {
    ...logOf(lines),
    get dropped() {
      return lines.dropped()
    },
    async reopen() {},
    [Symbol.asyncDispose]: lines.settled,
  }
}

interface BoundedLines {
  /** Left out, and counted, when too much waits. */
  append(lines: string): void
  isFull(): boolean
  dropped(): number
  /** Resolves when nothing waits. */
  settled(): Promise<void>
}

const logOf = ({ append, isFull }: BoundedLines) => ({
  isOn: true,
  // What is left out is not put into words either.
  write: (line: AccessLine) => append(isFull() ? '' : `${JSON.stringify(line)}\n`),
})

/** @param send is called again when it has ended, with all that has come meanwhile */
function boundedLines(send: (lines: string) => Promise<void>, log: Log): BoundedLines {
  let pending: string[] = []
  let pendingChars = 0
  let dropped = 0
  let flushing: Promise<void> | undefined
  const flush = async () => {
    while (pending.length > 0) {
      const text = pending.join('')
      pending = []
      pendingChars = 0
      await send(text).catch((err) => {
        dropped += 1
        log.error({ err }, 'The access log cannot be written')
      })
    }
    flushing = undefined
  }
  const isFull = () => pendingChars > MAX_PENDING
  return {
    isFull,
    append(lines) {
      if (isFull()) {
        dropped += 1
        return
      }
      pending.push(lines)
      pendingChars += lines.length
      flushing ??= Promise.resolve().then(flush)
    },
    dropped: () => dropped,
    settled: async () => await flushing,
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
