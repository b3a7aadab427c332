/** A crowd as its parent sees it: a process that is told what to do, and says once what it saw. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { CrowdPlan, CrowdReport, FromCrowd, Place, StormBegins, ToCrowd } from './messages.ts'

export interface RunningCrowd extends AsyncDisposable {
  readonly pid: number
  /** Resolves when all its workloads take connections. */
  readonly ready: Promise<readonly Place[]>
  begin(storm: StormBegins): void
  /** Ends it. */
  report(): Promise<CrowdReport>
}

export function openCrowd(plan: CrowdPlan): RunningCrowd {
  const child = fork(join(import.meta.dirname, 'crowd.ts'), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const ready = Promise.withResolvers<readonly Place[]>()
  const told = Promise.withResolvers<CrowdReport>()
  const ended = Promise.withResolvers<void>()
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8')
  })
  child.on('message', (message: FromCrowd) => {
    if (message.kind === 'ready') ready.resolve(message.places)
    else told.resolve(message.report)
  })
  child.once('close', (code, signal) => {
    const error = new Error(`a crowd ended with ${code ?? signal}: ${said}`)
    ready.reject(error)
    told.reject(error)
    ended.resolve()
  })
  for (const promise of [ready.promise, told.promise]) promise.catch(() => {}) // whoever waits is told
  const tell = (message: ToCrowd) => {
    if (child.connected) child.send(message)
  }
  tell(plan)
  return {
    pid: child.pid ?? -1,
    ready: ready.promise,
    begin: tell,
    report() {
      tell({ kind: 'end' })
      return told.promise
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended.promise
    },
  }
}
