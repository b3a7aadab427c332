/**
 * The records of the signing ledger in a file of the data directory, so that a restarted server knows what the one before it
 * signed. It is believed only if nothing can be missing in it: written by the run that was the last one by the store's word
 * too (no older copy was put back), and, if the machine was started anew since, closed in order (what was written last may
 * not have reached the disk). On any doubt it says nothing at all, and what it would have said counts as perhaps in use.
 */
import { appendFileSync, createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { formatRecord, type LedgerRecord, parseRecord } from './ledger-record.ts'

/** The store's word on which run was the last one. */
export interface RunStore {
  load(): Promise<string | undefined>
  save(run: string): Promise<void>
}

export interface LedgerFileDeps {
  readonly path: string
  readonly lastRun: RunStore
  /** Of this run. */
  readonly run: string
  /** Another one after each start of the machine. */
  readonly boot: string
  /** Told once why what was kept is not believed, or why nothing is kept any more. */
  readonly onLoss: (error: unknown) => void
  readonly maxBytes?: number
  readonly minCompactedBytes?: number
}

export interface LedgerFile extends AsyncDisposable {
  /** What the runs before have kept. */
  readonly records: readonly LedgerRecord[]
  /**
   * Resolves when the record survives the end of this process. Where nothing can be kept, it resolves when the file is gone.
   * @throws IdentityError UNAVAILABLE when the file can be neither written nor removed: it would deny what was signed
   */
  append(record: LedgerRecord): Promise<void>
  /** From now on the file is written anew from these whenever it has become twice as long as it must be. */
  compactFrom(records: () => Iterable<LedgerRecord>): void
}

const MODE = 0o600
/** About a million records. */
const MAX_BYTES = 256 << 20
/** Below it, a file is left as it is. */
const MIN_COMPACTED_BYTES = 4 << 20
const LINES_PER_WRITE = 1_000
const CLOSED = '["closed"]'

const FORMAT = 'steeple signing ledger 1'
const HEADER = z.tuple([
  z.literal(FORMAT),
  z.object({ run: z.string(), before: z.string().nullable(), boot: z.string() }),
])

/** @throws IdentityError UNAVAILABLE when there is a file that can be neither replaced nor removed */
export async function openLedgerFile(deps: LedgerFileDeps): Promise<LedgerFile> {
  const { path, lastRun, run, boot, onLoss } = deps
  const before = await lastRun.load()
  const records = await read(deps, before)
  const header = JSON.stringify([FORMAT, { run, before: before ?? null, boot }])
  const file = createWriter(deps, header)
  try {
    await file.rewrite(records)
    // In this order: the file names the run before too, so it is believed wherever a crash comes.
    await lastRun.save(run)
  } catch (error) {
    await remove(path, error)
    onLoss(error)
    file.giveUp()
  }
  return { records, ...file, [Symbol.asyncDispose]: file.close }
}

async function read(
  { path, boot, onLoss, maxBytes = MAX_BYTES }: LedgerFileDeps,
  lastRun: string | undefined,
): Promise<readonly LedgerRecord[]> {
  try {
    const [first, ...lines] = await readLines(path, maxBytes)
    if (first === undefined) throw new Error('it has no first line')
    const [, header] = HEADER.parse(JSON.parse(first))
    if (lastRun === undefined || (header.run !== lastRun && header.before !== lastRun)) {
      throw new Error('it is not that of the run before: was a copy put back?')
    }
    const isClosed = lines.at(-1) === CLOSED
    if (isClosed) lines.pop()
    if (header.boot !== boot && !isClosed) {
      throw new Error('the machine was started anew before it was closed')
    }
    return lines.map(parseRecord)
  } catch (error) {
    // Cast: what node:fs rejects with.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onLoss(error)
    return []
  }
}

/** Whole lines: one that has no end was being written when the process was killed, and nobody was told of it. */
async function readLines(path: string, maxBytes: number): Promise<string[]> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  if (size > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`)
  const lines: string[] = []
  if (size === 0) return lines
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  const input = createReadStream(path, { encoding: 'utf8', end: size - 1 })
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    lines.push(line)
  }
  if (buffer.toString() !== '\n') lines.pop()
  return lines
}

interface Waiting {
  text: string
  readonly done: Promise<void>
  readonly settle: (error?: unknown) => void
}

function createWriter(deps: LedgerFileDeps, header: string) {
  const { path, onLoss, maxBytes = MAX_BYTES } = deps
  const { minCompactedBytes = MIN_COMPACTED_BYTES } = deps
  let file: FileHandle | undefined
  let bytes = 0
  let compactedBytes = 0
  let state: 'open' | 'given-up' | 'closed' = 'open'
  /** Why nothing is kept any more, as long as the file is still there. */
  let inTheWay: unknown
  let all: (() => Iterable<LedgerRecord>) | undefined
  /** What the next write takes along; bounded by the calls that wait for it. */
  let next: Waiting | undefined
  let writing: Promise<void> | undefined

  const rewrite = async (records: Iterable<LedgerRecord>) => {
    const fresh = await writeAnew(path, header, records)
    await file?.close()
    ;({ file, bytes } = fresh)
    compactedBytes = bytes
  }
  const write = async (text: string) => {
    if (file === undefined) throw new Error('it is not open')
    const chunk = Buffer.from(text)
    // At once: a few microseconds, where a turn of the thread pool would delay every signature far longer.
    appendFileSync(file.fd, chunk)
    bytes += chunk.length
    if (bytes > Math.max(2 * compactedBytes, minCompactedBytes) && all !== undefined) {
      await rewrite(all())
    }
    if (bytes > maxBytes) throw new Error(`it would be longer than ${maxBytes} bytes`)
  }
  const giveUp = () => {
    state = 'given-up'
    void file?.close().catch(() => {})
    file = undefined
  }
  const drain = async () => {
    while (next !== undefined) {
      const { text, settle } = next
      next = undefined
      try {
        if (state === 'open') await write(text)
        settle()
      } catch (error) {
        giveUp()
        onLoss(error)
        inTheWay = error
        await clearWay().then(() => settle(), settle)
      }
    }
    writing = undefined
  }
  const clearWay = async () => {
    if (inTheWay === undefined) return
    await remove(path, inTheWay)
    inTheWay = undefined
  }
  return {
    rewrite,
    giveUp,
    compactFrom(records: () => Iterable<LedgerRecord>) {
      all = records
    },
    async append(record: LedgerRecord): Promise<void> {
      if (state === 'given-up') return await clearWay()
      // What it does not hold must not be signed: the file says that it is complete.
      if (state === 'closed') throw new IdentityError('UNAVAILABLE', 'the server is stopping')
      next ??= waiting()
      next.text += `${formatRecord(record)}\n`
      const { done } = next
      writing ??= Promise.resolve().then(drain)
      await done
    },
    async close(): Promise<void> {
      await writing
      if (state !== 'open') return
      state = 'closed'
      try {
        await file?.appendFile(`${CLOSED}\n`)
        await file?.sync()
        await file?.close()
      } catch (error) {
        onLoss(error) // without that line it is believed less, never more
      }
    },
  }
}

function waiting(): Waiting {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error))
  return { text: '', done: promise, settle }
}

/** As a whole: who reads after a crash finds the old file or the new one. */
async function writeAnew(path: string, header: string, records: Iterable<LedgerRecord>) {
  const temporary = `${path}.tmp`
  await rm(temporary, { force: true }) // left by a crash
  const file = await open(temporary, 'ax', MODE)
  let bytes = 0
  const write = async (lines: readonly string[]) => {
    const chunk = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    await file.appendFile(chunk)
    bytes += chunk.length
  }
  try {
    let lines = [header]
    for (const record of records) {
      lines.push(formatRecord(record))
      if (lines.length < LINES_PER_WRITE) continue
      await write(lines)
      lines = []
    }
    await write(lines)
    await file.sync()
    await rename(temporary, path)
    return { file, bytes }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Fails closed: a file that lacks what was signed must not be there. @throws IdentityError UNAVAILABLE */
async function remove(path: string, cause: unknown): Promise<void> {
  try {
    await rm(path, { force: true })
  } catch (error) {
    throw new IdentityError(
      'UNAVAILABLE',
      `the signing ledger ${path} can neither be written (${reasonOf(cause)}) nor removed (${reasonOf(error)}); make its directory writable, or remove it`,
      { cause: error },
    )
  }
}
