/**
 * The first file of a worker thread: a data plane of its own at addresses that it shares with the others, fed by the thread that started it. It listens when it
 * has an identity and policies, and serves nobody without; it ends when it has drained.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { openRelayedLog } from '../../log/relayed-log.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { openDataPlane } from '../data-plane.ts'
import { NO_ACCESS_LOG, openSentAccessLog } from '../telemetry/access-log.ts'
import { reportOf } from '../telemetry/traffic-report.ts'
import { askForDocuments } from './documents.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'
import { createMirror } from './mirror.ts'

if (parentPort === null) throw new Error('this file is for a worker thread')
// Cast: whoever starts the worker writes it, in the same version of the same program.
await serve(workerData as WorkerStart, parentPort)

async function serve(start: WorkerStart, port: MessagePort): Promise<void> {
  const send = (message: FromWorker) => port.postMessage(message)
  const log = openRelayedLog(start.logLevel, (line) => send({ kind: 'log', line }))
  const mirror = createMirror(start.knowledge)
  const documents = askForDocuments(send)
  const drain = Promise.withResolvers<void>()
  const written = createTurns()
  const accessLog = start.hasAccessLog
    ? openSentAccessLog(async (lines) => {
        send({ kind: 'access', lines })
        await written.next()
      }, log)
    : NO_ACCESS_LOG
  let report = (_id: number): void => {} // there is nothing to tell before it is open
  // Heard before anything is waited for: what changes while it opens must not be missed.
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'identity':
        return mirror.tellIdentity(message.key, message.state)
      case 'policies':
        return mirror.tellPolicies(message.state)
      case 'kill-switch':
        return mirror.tellKillSwitch(message.state)
      case 'report':
        return report(message.id)
      case 'written':
        return written.done()
      case 'document':
        return documents.answered(message.id, message.answer)
      case 'drain':
        return drain.resolve()
      default:
        message satisfies never
    }
  })
  try {
    await using log_ = accessLog
    await using plane = await openDataPlane({
      ...{ config: start.config, self: start.self, accessLog: log_, log, clock: systemClock },
      ...{ identities: mirror.identities, source: mirror.source, killSwitch: mirror.killSwitch },
      fetch: documents.fetch,
    })
    report = (id) => {
      send({ kind: 'report', id, report: reportOf(plane.context, plane.tokenKeys.status()) })
    }
    send({ kind: 'ready' })
    await Promise.race([drain.promise, plane.failed])
    await plane.drain()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    send({ kind: 'failed', code: error.code, message: error.message })
  } finally {
    port.close()
  }
}

/** Answers that come in the order of what they answer. */
function createTurns() {
  let waiting: (() => void) | undefined
  return {
    next: () =>
      new Promise<void>((resolve) => {
        waiting = resolve
      }),
    done: () => waiting?.(),
  }
}
