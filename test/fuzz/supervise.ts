/** Runs a target in a thread of its own, and ends it when an input does not return or takes all memory. */
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Find, Outcome } from './fuzz-loop.ts'
import { SHARED_HEAD_BYTES, type TargetRun } from './run-target.ts'

/** No input begins for this long: the one that runs hangs. A busy machine is slower, not that slow. */
const HANG_SECONDS = 30
/** Of a thread's heap. */
const MAX_HEAP_MB = 1_024
const LOOK_MS = 500
/** Of an input that is kept for the report. */
const MAX_SHARED_BYTES = 256 * 1024

const THREAD = new URL('./run-target.ts', import.meta.url)

/** @returns what was found; where the thread ended early, the input that it was reading */
export async function runTarget(run: Omit<TargetRun, 'shared'>): Promise<Outcome> {
  const shared = new SharedArrayBuffer(SHARED_HEAD_BYTES + MAX_SHARED_BYTES)
  const head = new Int32Array(shared, 0, 2)
  const worker = new Worker(THREAD, {
    workerData: { ...run, shared } satisfies TargetRun,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  })
  const over = new AbortController()
  const ended = new Promise<Outcome>((resolve) => {
    const lost = (signature: string, detail: string) =>
      resolve(lostOutcome(head[0] ?? 0, { signature, detail, input: inputOf(shared) }))
    // Buffers arrive as plain arrays of bytes.
    worker.once('message', (outcome: Outcome) => resolve(revived(outcome)))
    worker.once('error', (error: Error) => lost(error.name, error.stack ?? error.message))
    worker.once('exit', (code) => lost('exit', `the thread ended with code ${code}`))
    void watch(head, over.signal).then((isHung) => {
      if (isHung) lost('hang', `it does not return within ${HANG_SECONDS} seconds`)
    })
  })
  try {
    return await ended
  } finally {
    over.abort()
    await worker.terminate()
  }
}

/** @returns whether the count stood still for too long; false when it was stopped. The count is 0 while it starts. */
async function watch(head: Int32Array, signal: AbortSignal): Promise<boolean> {
  let seen = 0
  let since = performance.now()
  while (!signal.aborted) {
    await pause(LOOK_MS, undefined, { signal }).catch(() => {})
    const count = head[0] ?? 0
    if (count !== seen || count === 0) {
      seen = count
      since = performance.now()
    } else if (performance.now() - since > HANG_SECONDS * 1_000) return true
  }
  return false
}

function inputOf(shared: SharedArrayBuffer): Buffer {
  const length = new Int32Array(shared, 0, 2)[1] ?? 0
  return Buffer.from(new Uint8Array(shared, SHARED_HEAD_BYTES).slice(0, length))
}

function lostOutcome(inputs: number, find: Find): Outcome {
  return { inputs, corpus: [], reached: 0, finds: [find], grownBytes: 0 }
}

function revived(outcome: Outcome): Outcome {
  return {
    ...outcome,
    corpus: outcome.corpus.map((input) => Buffer.from(input)),
    finds: outcome.finds.map((find) => ({ ...find, input: Buffer.from(find.input) })),
  }
}
