/** Runs targets in a thread of their own, and ends it when an input does not return or takes all memory. */
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Find, Outcome } from './fuzz-loop.ts'
import { SHARED_HEAD_BYTES, type TargetRun, type ThreadRun } from './run-target.ts'

/** No input begins for this long: the one that runs hangs. A busy machine is slower, not that slow. */
const HANG_SECONDS = 30
/** Of a thread's heap. */
const MAX_HEAP_MB = 1_024
const LOOK_MS = 500
/** Of an input that is kept for the report. */
const MAX_SHARED_BYTES = 256 * 1024

const THREAD = new URL('./run-target.ts', import.meta.url)

/**
 * @param runs targets that load the same sources: a thread is begun for all of them, and anew behind one that was lost
 * @param onOutcome told of each, in their order; where the thread ended early, with the input that it was reading
 */
export async function runTargets(
  runs: readonly TargetRun[],
  seed: number,
  onOutcome: (run: TargetRun, outcome: Outcome) => void,
  hangSeconds: number = HANG_SECONDS,
): Promise<void> {
  for (let next = 0; next < runs.length; ) {
    const { seen, lost } = await runThread(runs.slice(next), seed, hangSeconds)
    for (const outcome of lost === undefined ? seen : [...seen, lost]) {
      const run = runs[next]
      if (run !== undefined) onOutcome(run, outcome)
      next += 1
    }
  }
}

interface Ended {
  readonly seen: readonly Outcome[]
  /** Of the target that it did not survive. */
  readonly lost: Outcome | undefined
}

async function runThread(
  runs: readonly TargetRun[],
  seed: number,
  hangSeconds: number,
): Promise<Ended> {
  const shared = new SharedArrayBuffer(SHARED_HEAD_BYTES + MAX_SHARED_BYTES)
  const worker = new Worker(THREAD, {
    workerData: { runs, seed, shared } satisfies ThreadRun,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  })
  const over = new AbortController()
  const seen: Outcome[] = []
  const ended = new Promise<Outcome | undefined>((resolve) => {
    const lose = (signature: string, detail: string) =>
      resolve(lostOutcome(shared, signature, detail))
    worker.on('message', (outcome: Outcome) => {
      seen.push(revived(outcome))
      if (seen.length === runs.length) resolve(undefined)
    })
    worker.once('error', (error: Error) => lose(error.name, error.stack ?? error.message))
    worker.once('exit', (code) => lose('exit', `the thread ended with code ${code}`))
    void watch(shared, hangSeconds, over.signal).then((isHung) => {
      if (isHung) lose('hang', `it does not return within ${hangSeconds} seconds`)
    })
  })
  try {
    return { lost: await ended, seen }
  } finally {
    over.abort()
    await worker.terminate()
  }
}

/** @returns whether the count stood still for too long; false when it was stopped. The count is 0 while a target starts. */
async function watch(
  shared: SharedArrayBuffer,
  hangSeconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  const head = new Int32Array(shared, 0, 1)
  let seen = 0
  let since = performance.now()
  while (!signal.aborted) {
    await pause(LOOK_MS, undefined, { signal }).catch(() => {})
    const count = head[0] ?? 0
    if (count !== seen || count === 0) {
      seen = count
      since = performance.now()
    } else if (performance.now() - since > hangSeconds * 1_000) return true
  }
  return false
}

function lostOutcome(shared: SharedArrayBuffer, signature: string, detail: string): Outcome {
  const [inputs = 0, length = 0] = new Int32Array(shared, 0, 2)
  const input = Buffer.from(new Uint8Array(shared, SHARED_HEAD_BYTES).slice(0, length))
  const find: Find = { signature, detail, input }
  return { inputs, seconds: 0, corpus: [], reached: 0, finds: [find], grownBytes: 0 }
}

/** Buffers arrive as plain arrays of bytes. */
function revived(outcome: Outcome): Outcome {
  return {
    ...outcome,
    corpus: outcome.corpus.map((input) => Buffer.from(input)),
    finds: outcome.finds.map((find) => ({ ...find, input: Buffer.from(find.input) })),
  }
}
