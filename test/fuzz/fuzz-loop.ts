/**
 * Fuzzes one target, guided by coverage: inputs are made from those that reached something new, batch by batch; where a
 * batch brings news, halving finds the inputs that brought it. An input that breaks the oracle is made short and kept.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { IdentityError } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'
import { pick } from '../fakes/seeded.ts'
import { type Coverage, openCoverage } from './coverage.ts'
import { minimise } from './minimise.ts'
import { mutate } from './mutate.ts'
import type { FuzzTarget } from './target.ts'

export interface Find {
  readonly input: Buffer
  /** What is the same in all inputs that fail for the same reason. */
  readonly signature: string
  readonly detail: string
}

export interface Outcome {
  readonly inputs: number
  readonly seconds: number
  /** What reached new code, seeds included. */
  readonly corpus: readonly Buffer[]
  /** Characters of source that ran. */
  readonly reached: number
  readonly finds: readonly Find[]
  /** Bytes of heap, after collection, from a quarter of the way to the end; 0 where too little ran to tell. */
  readonly grownBytes: number
}

export interface FuzzOptions {
  readonly random: Random
  readonly seeds: readonly Buffer[]
  /** Asked between batches. @returns how far it is, 1 when it is over */
  progress(inputs: number): number
  /** Is told each input before it runs: of one that never returns nobody else knows. */
  onInput(input: Buffer): void
}

/** Between two looks at the coverage; it grows to the upper bound while nothing new is found. */
const BATCH = { least: 16, most: 4_096 } as const
/** An input may use a core this long, and this much longer for each of its bytes. */
const SLOW_MS = 150
const SLOW_MS_PER_BYTE = 0.05
const SLOW_RUNS = 3
/** Different finds of one target; more are more of the same. */
const MAX_FINDS = 16
/** Of inputs that reached something new: from then on a new one takes the place of an old one. */
const MAX_CORPUS = 4_096
/** More than this is kept by whoever read the inputs. */
export const MAX_GROWN_BYTES = 48 * 1024 * 1024

export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<Outcome> {
  const { random, onInput, progress } = options
  const dictionary = target.dictionary.map((word) => Buffer.from(word, 'latin1'))
  const corpus: Buffer[] = []
  const finds = new Map<string, Find>()
  let inputs = 0
  const started = performance.now()
  using coverage = openCoverage()

  const attempt = async (input: Buffer): Promise<Find | undefined> => {
    onInput(input)
    return await judge(target, input)
  }
  const runAll = async (batch: readonly Buffer[]) => {
    for (const input of batch) {
      const find = await attempt(input)
      if (find === undefined || finds.has(find.signature) || finds.size >= MAX_FINDS) continue
      finds.set(find.signature, find)
      const short = await minimise(
        input,
        async (one) => (await attempt(one))?.signature === find.signature,
      )
      finds.set(find.signature, (await attempt(short)) ?? find)
    }
  }
  const remember = (input: Buffer) => {
    if (corpus.length < MAX_CORPUS) corpus.push(input)
    else corpus[Math.floor(random() * MAX_CORPUS)] = input
  }
  for (const seed of [...target.seeds, ...options.seeds]) {
    const input = Buffer.from(seed.subarray(0, target.maxBytes))
    await runAll([input])
    inputs += 1
    coverage.learn()
    remember(input)
  }
  let size: number = BATCH.least
  let heapBytes: number | undefined
  for (let done = progress(inputs); done < 1; done = progress(inputs)) {
    if (heapBytes === undefined && done > 0.25) heapBytes = heapAfterCollection()
    const material = { random, corpus, dictionary, maxBytes: target.maxBytes }
    const parent = () => pick(random, corpus) ?? Buffer.alloc(0)
    const batch = Array.from({ length: size }, () => mutate(parent(), material))
    await runAll(batch)
    inputs += batch.length
    const news = coverage.hasNews() ? await whoBroughtNews(batch, attempt, coverage) : []
    for (const input of news) remember(input)
    size = Math.max(BATCH.least, Math.min(BATCH.most, news.length > 0 ? size / 2 : size * 2))
    await turn()
  }
  const corpusBytes = corpus.reduce((sum, { length }) => sum + length, 0)
  const grown = heapBytes === undefined ? 0 : heapAfterCollection() - heapBytes - corpusBytes
  const grownBytes = Math.max(0, grown)
  const seconds = (performance.now() - started) / 1_000
  return {
    ...{ inputs, seconds, corpus, grownBytes },
    ...{ reached: coverage.size(), finds: [...finds.values()] },
  }
}

/** Runs halves until single inputs are left that reach something new; the coverage learns them. */
async function whoBroughtNews(
  batch: readonly Buffer[],
  attempt: (input: Buffer) => Promise<unknown>,
  coverage: Coverage,
): Promise<readonly Buffer[]> {
  const halve = async (lot: readonly Buffer[]): Promise<readonly Buffer[]> => {
    for (const input of lot) await attempt(input)
    const [first] = lot
    if (first === undefined) return []
    if (lot.length === 1) return coverage.learn() ? [first] : []
    if (!coverage.hasNews()) return []
    const middle = lot.length >> 1
    return [...(await halve(lot.slice(0, middle))), ...(await halve(lot.slice(middle)))]
  }
  coverage.skip()
  const found = await halve(batch)
  // What runs only once, e.g. when something is first made, is nobody's news.
  for (const input of found.length === 0 ? batch : []) await attempt(input)
  coverage.learn()
  return found
}

async function judge(target: FuzzTarget, input: Buffer): Promise<Find | undefined> {
  const before = performance.now()
  try {
    const running = target.run(input)
    if (running !== undefined) await running
  } catch (error) {
    if (!(error instanceof IdentityError)) return findOf(input, error)
  }
  if (performance.now() - before < SLOW_MS) return undefined
  return (await isSlow(target, input))
    ? { input, signature: 'slow', detail: `${input.length} bytes keep a core busy` }
    : undefined
}

/** By the time of this thread on a core, and by the fastest of several runs: a busy machine is not the reader's fault. */
async function isSlow(target: FuzzTarget, input: Buffer): Promise<boolean> {
  let leastMs = Number.POSITIVE_INFINITY
  for (let run = 0; run < SLOW_RUNS; run += 1) {
    const before = process.threadCpuUsage()
    try {
      await target.run(input)
    } catch {
      // a refusal may take as long as an answer
    }
    const { user, system } = process.threadCpuUsage(before)
    leastMs = Math.min(leastMs, (user + system) / 1_000)
  }
  return leastMs > SLOW_MS + SLOW_MS_PER_BYTE * input.length
}

function findOf(input: Buffer, error: unknown): Find {
  if (!(error instanceof Error)) {
    return { input, signature: 'thrown', detail: `thrown: ${String(error)}` }
  }
  const [, at = ''] = error.stack?.split('\n').filter((line) => /^ {4}at /.test(line)) ?? []
  const kind = error.message.replace(/["'\d].*$/s, '').slice(0, 60)
  const cause = error.cause instanceof Error ? `\ncause: ${error.cause.stack}` : ''
  const detail = `${error.stack ?? error.message}${cause}`
  return { input, signature: `${error.name}: ${kind}${at}`, detail }
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  // Cast: what the flag above exposes.
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
