/**
 * Keeps one worker thread running: what it says goes to the log, the access log and the reports; when it is lost another is started with what is known by
 * then, and the loss is logged. What it had counted until shortly before stays counted; the connections that it had are gone.
 */
import { Worker } from 'node:worker_threads'
import type { Log } from '../../log/open-log.ts'
import { openRelay } from '../../log/relayed-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { NO_REPORT, type TrafficReport } from '../telemetry/traffic-report.ts'
import { afterItsEnd, mergeReports } from './merge-reports.ts'
import type { DocumentAnswer, FromWorker, ToWorker, WorkerStart } from './messages.ts'

export interface KeepWorkerOptions {
  /** Counted from 1, for logs. */
  readonly number: number
  /** As of now. */
  start(): WorkerStart
  writeAccess(lines: string): void
  fetch(question: Extract<FromWorker, { kind: 'fetch' }>): Promise<DocumentAnswer>
  /** How long it may take to end, once it was told. */
  readonly drainTimeoutMs: number
  readonly clock: Clock
  readonly log: Log
}

export interface WorkerStatus {
  readonly worker: number
  readonly isServing: boolean
  /** How often it was lost. */
  readonly lost: number
  readonly connections: number
}

export interface KeptWorker extends AsyncDisposable {
  /** Resolves when it listens. @throws IdentityError why the first one could not */
  readonly ready: Promise<void>
  tell(message: ToWorker): void
  /** Everything that it and those before it have counted; what was last heard when it does not answer in time. */
  report(): Promise<TrafficReport>
  /** Did it answer the last question? */
  status(): WorkerStatus
  /** Ends the thread at once, as a fault of its own would: another takes its place. */
  lose(): Promise<void>
  /** Resolves when it has drained and ended. */
  drain(): Promise<void>
}

const REPORT_TIMEOUT_MS = 2_000
const FIRST_PAUSE_MS = 100
/** Of the pause before a lost one is replaced; it doubles up to here while they do not come to listen. */
const MAX_PAUSE_MS = 10_000
/** What a worker may take beyond the time that its connections have. */
const END_MS = 3_000

/** `.js` in an installed package. */
const FILE = new URL(
  import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js',
  import.meta.url,
)

interface Running {
  readonly thread: Worker
  isReady: boolean
  isAnswering: boolean
  latest: TrafficReport
  failure: IdentityError | undefined
  readonly waiting: Map<number, (report: TrafficReport) => void>
}

export function keepWorker(options: KeepWorkerOptions): KeptWorker {
  const { number, clock, log, drainTimeoutMs } = options
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {}) // whoever opens it hears of it
  const stop = new AbortController()
  const writeLog = openRelay(log, { worker: number })
  let running: Running | undefined
  let past = NO_REPORT
  let lost = 0
  let questions = 0
  let pauseMs = FIRST_PAUSE_MS
  const run = async () => {
    running = startThread(options, writeLog, () => {
      pauseMs = FIRST_PAUSE_MS
      ready.resolve()
    })
    const why = await endOf(running.thread)
    for (const resolve of running.waiting.values()) resolve(running.latest)
    const { failure, latest } = running
    running = undefined
    if (stop.signal.aborted) return
    past = mergeReports([past, afterItsEnd(latest)])
    lost += 1
    ready.reject(failure ?? new IdentityError('INTERNAL', `a worker could not start: ${why}`))
    const reason = failure?.message ?? why
    log.error({ worker: number, reason }, 'A worker was lost with its connections; another starts')
  }
  const keep = async () => {
    while (!stop.signal.aborted) {
      await run()
      if (stop.signal.aborted) return
      await clock.sleep(pauseMs, stop.signal)
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)
    }
  }
  const kept = keep()
  return {
    ready: ready.promise,
    tell: (message) => running?.thread.postMessage(message),
    async report() {
      const now = running === undefined ? NO_REPORT : await ask(running, ++questions, clock)
      return mergeReports([past, now])
    },
    status: () => ({
      ...{ worker: number, isServing: running?.isReady === true && running.isAnswering, lost },
      connections: running?.latest.total ?? 0,
    }),
    async lose() {
      await running?.thread.terminate()
    },
    async drain() {
      stop.abort()
      running?.thread.postMessage({ kind: 'drain' } satisfies ToWorker)
      const ended = new AbortController()
      void kept.then(() => ended.abort())
      await clock.sleep(drainTimeoutMs + END_MS, ended.signal)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running?.thread.terminate()
      await kept
    },
  }
}

function startThread(
  options: KeepWorkerOptions,
  writeLog: (line: string) => void,
  onReady: () => void,
): Running {
  const { number } = options
  const thread = new Worker(FILE, { workerData: options.start(), name: `worker ${number}` })
  const running: Running = {
    ...{ thread, isReady: false, isAnswering: true, latest: NO_REPORT, failure: undefined },
    waiting: new Map(),
  }
  const tell = (message: ToWorker) => thread.postMessage(message)
  thread.on('message', (message: FromWorker) => {
    switch (message.kind) {
      case 'ready':
        running.isReady = true
        return onReady()
      case 'failed':
        running.failure = new IdentityError(message.code, message.message)
        return
      case 'log':
        return writeLog(message.line)
      case 'access':
        options.writeAccess(message.lines)
        return tell({ kind: 'written' })
      case 'report':
        running.latest = message.report
        running.waiting.get(message.id)?.(message.report)
        return
      case 'fetch': {
        const { id } = message
        void options.fetch(message).then((answer) => tell({ kind: 'document', id, answer }))
        return
      }
      default:
        message satisfies never
    }
  })
  return running
}

/** @returns why it ended */
function endOf(thread: Worker): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let why: string | undefined
  thread.on('error', (error) => {
    why = reasonOf(error)
  })
  thread.once('exit', (code) => resolve(why ?? `it ended with ${code}`))
  return promise
}

async function ask(running: Running, id: number, clock: Clock): Promise<TrafficReport> {
  if (!running.isReady) return running.latest
  const { promise, resolve } = Promise.withResolvers<TrafficReport>()
  const answered = new AbortController()
  running.waiting.set(id, resolve)
  running.thread.postMessage({ kind: 'report', id } satisfies ToWorker)
  const late = clock.sleep(REPORT_TIMEOUT_MS, answered.signal).then(() => {
    running.isAnswering = answered.signal.aborted
    return running.latest
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    answered.abort()
    running.waiting.delete(id)
  }
}
