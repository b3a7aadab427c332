/**
 * Calls to the server as async functions: every error is one of ours, every call has a deadline, and none outlives
 * its signal.
 */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js'
import { fromStatus } from '../../proto/status.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'

/** As SPIRE's agent. */
export const CALL_DEADLINE_MS = 30_000

export interface CallLimits {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** CALL_DEADLINE_MS if not given. */
  readonly deadlineMs?: number | undefined
}

interface Cancellable {
  cancel(): void
}

/**
 * @param start begins the call and hands its outcome to `done`
 * @throws IdentityError DEADLINE_EXCEEDED, CANCELED, or what the server's status means
 */
export async function callUnary<Response>(
  start: (done: (error: ServiceError | null, response?: Response) => void) => Cancellable,
  limits: CallLimits,
): Promise<Response> {
  return await withDeadline(limits, (onCall) => {
    return new Promise<Response>((resolve, reject) => {
      const call = start((error, response) => {
        if (error !== null) reject(fromStatus(error))
        else if (response !== undefined) resolve(response)
        else reject(new IdentityError('INTERNAL', 'the server answered with nothing'))
      })
      onCall(call)
    })
  })
}

/** Runs `exchange` under the deadline; whatever call it announces is cancelled with it. */
export async function withDeadline<T>(
  { clock, signal, deadlineMs = CALL_DEADLINE_MS }: CallLimits,
  exchange: (onCall: (call: Cancellable) => void) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const over = new AbortController()
  let expired = false
  let call: Cancellable | undefined
  const cancel = () => call?.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  void clock.sleep(deadlineMs, over.signal).then(() => {
    if (over.signal.aborted) return
    expired = true
    cancel()
  })
  try {
    return await exchange((started) => {
      call = started
    })
  } catch (error) {
    if (!expired) throw error
    const why = `the server did not answer within ${deadlineMs / 1000} s`
    throw new IdentityError('DEADLINE_EXCEEDED', why, { cause: error })
  } finally {
    over.abort()
    signal.removeEventListener('abort', cancel)
  }
}

/** The messages of a stream until it ends; an error of it is thrown as ours. Leaving the loop cancels the call. */
export async function* readStream<Message>(
  call: Pick<ClientReadableStream<Message>, 'cancel' | 'on'> & AsyncIterable<unknown>,
): AsyncGenerator<Message, void, undefined> {
  call.on('error', () => {}) // thrown below; after the loop was left nobody else listens
  try {
    // Cast: grpc-js types its streams as Readable, whose messages are of any type.
    for await (const message of call) yield message as Message
  } catch (error) {
    throw fromStatus(error)
  } finally {
    call.cancel()
  }
}
