/**
 * The thread in which targets are fuzzed, one after another. Whoever started it sees in shared memory how many inputs
 * began and which one runs, so that an input that never returns, or takes all memory, is known.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { seeded } from '../fakes/seeded.ts'
import { readCorpus } from './corpus.ts'
import { fuzz } from './fuzz-loop.ts'
import { findTarget } from './targets.ts'

export interface TargetRun {
  readonly target: string
  /** Of inputs, or of time, whichever comes first. */
  readonly inputs: number
  readonly seconds: number
}

export interface ThreadRun {
  readonly seed: number
  readonly runs: readonly TargetRun[]
  /** Int32: inputs begun, length of the one that runs. Then its bytes. */
  readonly shared: SharedArrayBuffer
}

/** Two numbers of four bytes. */
export const SHARED_HEAD_BYTES = 8
/** Most inputs end in a refusal, and most of its cost is its stack. */
const STACK_LINES = 5

async function main({ seed, runs, shared }: ThreadRun): Promise<void> {
  Error.stackTraceLimit = STACK_LINES
  const head = new Int32Array(shared, 0, 2)
  const bytes = new Uint8Array(shared, SHARED_HEAD_BYTES)
  for (const { target: name, inputs, seconds } of runs) {
    head[0] = 0
    const target = await findTarget(name)
    await target.open?.()
    const started = performance.now()
    const outcome = await fuzz(target, {
      random: seeded(seed),
      seeds: readCorpus(name),
      progress: (done) => Math.max(done / inputs, (performance.now() - started) / 1_000 / seconds),
      onInput(input) {
        head[0] = (head[0] ?? 0) + 1
        head[1] = input.length
        bytes.set(input.subarray(0, bytes.length))
      },
    })
    await target.close?.()
    parentPort?.postMessage(outcome)
  }
}

// Cast: `runTargets` gives it.
if (parentPort !== null) await main(workerData as ThreadRun)
