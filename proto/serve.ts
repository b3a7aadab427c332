/**
 * Turns async functions into gRPC handlers. This is the one `catch` of every request path: it maps the error
 * to a status, reports it once, and answers.
 */
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { toStatus } from './status.ts'

/** One call as a handler sees it. `C` is what this endpoint knows of its callers. */
export interface Call<C> {
  readonly caller: C
  /** Full method, e.g. `/spire.api.server.entry.v1.Entry/GetEntry`. */
  readonly method: string
  readonly metadata: Metadata
  /** Aborts when the caller cancels, goes away, or its deadline passes, and when the endpoint is stopping. */
  readonly signal: AbortSignal
}

export type Unary<C, Req, Res> = (request: Req, call: Call<C>) => Promise<Res>
/** `send` resolves when the message is on its way: a slow reader slows its own producer only, and has one message waiting. */
export type ServerStream<C, Req, Res> = (
  request: Req,
  call: Call<C>,
  send: (message: Res) => Promise<void>,
) => Promise<void>
export type Bidi<C, Req, Res> = (
  requests: AsyncIterable<Req>,
  call: Call<C>,
  send: (message: Res) => Promise<void>,
) => Promise<void>

/** The handlers of a service, typed from its generated `…Handlers` interface. Methods left out answer Unimplemented. */
export type Implementation<C, H> = {
  // The generated interfaces also have an index signature, which would admit any name.
  readonly [M in keyof H as string extends M ? never : M]?: H[M] extends handleBidiStreamingCall<
    infer Req,
    infer Res
  >
    ? Bidi<C, Req, Res>
    : H[M] extends handleServerStreamingCall<infer Req, infer Res>
      ? ServerStream<C, Req, Res>
      : H[M] extends handleUnaryCall<infer Req, infer Res>
        ? Unary<C, Req, Res>
        : never
}

export interface Endpoint<C> {
  readonly server: Server
  /** Finds the caller by the connection's peer key; throws when nobody is behind it. */
  callerOf(peer: string): C
  /** Runs before every handler; throws to refuse the call. `request` is undefined on bidi streams. */
  authorize(call: Call<C>, request: unknown): Promise<void>
  /** Told of every call that failed, exactly once. */
  onFailure(failure: {
    readonly method: string
    readonly error: unknown
    readonly caller?: C
  }): void
  /** Told of every call that begins; what it returns is told, exactly once, how that call ended. */
  observe?(method: string): (end: CallEnd<C>) => void
  /** When it aborts, so do the signals of all open calls; what each answers then is its own affair. */
  readonly stopping?: AbortSignal
}

export interface CallEnd<C> {
  /** Undefined when the caller could not be found. */
  readonly call: Call<C> | undefined
  /** Undefined on bidi streams. */
  readonly request: unknown
  /** Undefined when the call was served. */
  readonly error: unknown
}

type StreamCall = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>
type AnyCall = ServerUnaryCall<unknown, unknown> | StreamCall
type AnyHandler<C> = (request: unknown, call: Call<C>, send?: unknown) => Promise<unknown>

/** One for all calls: `AbortSignal.any` costs each of them as much as reading who calls. */
interface Served<C> extends Endpoint<C> {
  /** Of the calls that are open, where something may stop them all. */
  readonly open: Set<AbortController> | undefined
}

function served<C>(endpoint: Endpoint<C>): Served<C> {
  const { stopping } = endpoint
  if (stopping === undefined) return { ...endpoint, open: undefined }
  const open = new Set<AbortController>()
  const stop = () => {
    for (const call of open) call.abort(stopping.reason)
  }
  stopping.addEventListener('abort', stop, { once: true })
  return { ...endpoint, open }
}

export function addService<C, H>(
  options: Endpoint<C>,
  service: ServiceDefinition,
  implementation: Implementation<C, H>,
): void {
  const endpoint = served(options)
  const handlers: UntypedServiceImplementation = {}
  for (const [name, definition] of Object.entries(service)) {
    // Casts: the mapped type above guarantees the shapes; here they are looked up by name.
    const handler = implementation[name as keyof H] as unknown as AnyHandler<C> | undefined
    if (handler === undefined) continue
    const method = definition.path
    handlers[name] = definition.responseStream
      ? (grpc: StreamCall) => {
          void runStream(endpoint, method, definition.requestStream, handler, grpc)
        }
      : (
          grpc: ServerUnaryCall<unknown, unknown>,
          callback: Parameters<handleUnaryCall<unknown, unknown>>[1],
        ) => {
          void runUnary(endpoint, method, handler, grpc, callback)
        }
  }
  endpoint.server.addService(service, handlers)
}

async function runUnary<C>(
  endpoint: Served<C>,
  method: string,
  handler: AnyHandler<C>,
  grpc: ServerUnaryCall<unknown, unknown>,
  callback: Parameters<handleUnaryCall<unknown, unknown>>[1],
): Promise<void> {
  const ended = endpoint.observe?.(method)
  const { request } = grpc
  let call: Call<C> | undefined
  try {
    call = toCall(endpoint, method, grpc)
    await endpoint.authorize(call, request)
    callback(null, await handler(request, call))
    ended?.({ call, request, error: undefined })
  } catch (error) {
    endpoint.onFailure({ method, error, ...callerIn(call) })
    callback(toStatus(error))
    ended?.({ call, request, error })
  }
}

async function runStream<C>(
  endpoint: Served<C>,
  method: string,
  bidi: boolean,
  handler: AnyHandler<C>,
  grpc: StreamCall,
): Promise<void> {
  const ended = endpoint.observe?.(method)
  grpc.on('error', () => {}) // a caller that went away is seen through the signal
  // Casts: which of the two it is, is known by the definition of the method.
  const request = bidi ? undefined : (grpc as ServerWritableStream<unknown, unknown>).request
  let call: Call<C> | undefined
  try {
    const opened = toCall(endpoint, method, grpc)
    call = opened
    const { signal } = opened
    await endpoint.authorize(opened, request)
    const wanted = bidi ? requestsOf(grpc as ServerDuplexStream<unknown, unknown>, signal) : request
    await handler(wanted, opened, sendTo(grpc, signal))
    grpc.end()
    ended?.({ call, request, error: undefined })
  } catch (error) {
    endpoint.onFailure({ method, error, ...callerIn(call) })
    grpc.emit('error', toStatus(error)) // grpc-js ends the stream with this status
    ended?.({ call, request, error })
  }
}

function callerIn<C>(call: Call<C> | undefined): { readonly caller?: C } {
  return call === undefined ? {} : { caller: call.caller }
}

/** Made once: grpc-js says so at the end of every call, and nobody reads the stack that each new one would have. */
const CALLER_GONE = new DOMException('the caller is gone', 'AbortError')

function toCall<C>(endpoint: Served<C>, method: string, grpc: AnyCall): Call<C> {
  const { stopping, open } = endpoint
  const gone = new AbortController()
  if (stopping?.aborted) gone.abort(stopping.reason)
  else open?.add(gone)
  // Cast: the three call types have the same event, but their overloads do not unify.
  const emitter: NodeJS.EventEmitter = grpc as unknown as NodeJS.EventEmitter
  emitter.on('cancelled', () => {
    open?.delete(gone)
    gone.abort(CALLER_GONE)
  })
  return {
    caller: endpoint.callerOf(grpc.getPeer()),
    method,
    metadata: grpc.metadata,
    signal: gone.signal,
  }
}

/**
 * Ends when the caller half-closes and when it goes away; a handler that stops reading early ends nothing. One request is read ahead,
 * where grpc-js would read sixteen for each stream, however large they are.
 */
async function* requestsOf(
  grpc: ServerDuplexStream<unknown, unknown>,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  // Cast: grpc-js makes the stream, and Node lets nobody change the mark of one that is there.
  const { _readableState } = grpc as unknown as { _readableState: { highWaterMark: number } }
  _readableState.highWaterMark = 1
  try {
    yield* grpc.iterator({ destroyOnReturn: false })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** grpc-js forgets what was written to a caller that goes away; whoever waits for it then is told as well. */
function sendTo(grpc: StreamCall, signal: AbortSignal): (message: unknown) => Promise<void> {
  const unwritten = new Set<() => void>()
  signal.addEventListener('abort', () => {
    for (const resolve of unwritten) resolve()
  })
  return async (message) => {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      unwritten.add(resolve)
      grpc.write(message, () => {
        unwritten.delete(resolve)
        resolve()
      })
    })
  }
}
