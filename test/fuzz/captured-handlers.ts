/**
 * The handlers of a whole running server, called without a network: a request is what its codec makes of some bytes. The
 * caller is an administrator on the admin socket or an agent on the TCP port, so that nothing is refused before it is read.
 */
import { EventEmitter } from 'node:events'
import { isMainThread } from 'node:worker_threads'
import { Metadata, Server, type StatusObject, status } from '@grpc/grpc-js'
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { type Clients, call, startTestServer } from '../server/running-server.ts'

export type Role = 'admin' | 'agent'

export interface CapturedServer extends AsyncDisposable {
  /** Full names, in order; every one for the administrator, most for the agent. */
  readonly methods: readonly string[]
  /** @returns undefined where the bytes are no message of that method, or the role has no such method */
  call(role: Role, method: string, bytes: Uint8Array): Promise<Answer | undefined>
}

export interface Answer {
  /** Of gRPC; 0 for an answer. */
  readonly code: number
  readonly details: string
  readonly reply: unknown
  /** What the log says of a failure that the caller is told nothing of. */
  readonly logged: string
}

type Done = (error: unknown, reply?: unknown) => void
type Handle = (call: { getPeer(): string }, done?: Done) => void

interface Method {
  readonly isUnary: boolean
  readonly isBidi: boolean
  read(bytes: Buffer): unknown
  readonly handle: Handle
}

interface Endpoint {
  readonly methods: Map<string, Method>
  /** As the server names the connection of whoever called last. */
  peer: string
}

/** Lines of the log that are looked at behind a call. */
const LOOKED_AT = 4

export async function captureServer(): Promise<CapturedServer> {
  // A thread has no mask of its own; the sockets lie in a directory of this process alone.
  if (!isMainThread) process.umask = () => 0o022
  const { endpoints, stop } = captureServices()
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startTestServer().finally(stop))
  // The services of the TCP port come first, those of the socket last; strangers have theirs in between.
  const [agent, admin] = [endpoints[0], endpoints.at(-1)]
  if (agent === undefined || admin === undefined) throw new Error('the server has two endpoints')
  const byRole: Readonly<Record<Role, Endpoint>> = { admin, agent }
  const { certificate } = await server.attest()
  const clients: Readonly<Record<Role, () => Promise<Clients>>> = {
    admin: async () => server.admin,
    agent: () => server.connect(certificate),
  }
  /** Connections end at a certain age, and with them what the server knows of their callers. */
  const connect = async (role: Role) => {
    const { bundle } = await clients[role]()
    await call<Bundle>((done) => bundle.GetBundle({}, done))
  }
  await connect('admin')
  await connect('agent')
  // Cast: the log of a test is kept for ever, and millions of calls are refused here.
  const lines = server.lines as { readonly msg: string }[]
  const opened = stack.move()
  return {
    methods: [...admin.methods.keys()].toSorted(),
    async call(role, path, bytes) {
      const endpoint = byRole[role]
      const method = endpoint.methods.get(path)
      if (method === undefined) return undefined
      const request = readOrNothing(method, Buffer.from(bytes))
      if (request === undefined) return undefined
      lines.length = 0
      const run = () =>
        method.isUnary
          ? callUnary(method, request.value, endpoint.peer)
          : callStream(method, request.value, endpoint.peer)
      let ended = await run()
      if (ended.details === 'the connection has closed') {
        await connect(role)
        ended = await run()
      }
      return { ...ended, logged: JSON.stringify(lines.slice(-LOOKED_AT)) }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Sees every service that a server is given, until it is stopped. */
function captureServices(): { readonly endpoints: readonly Endpoint[]; stop(): void } {
  const endpoints: Endpoint[] = []
  const byServer = new Map<Server, Endpoint>()
  const addService = Server.prototype.addService
  Server.prototype.addService = function (definition, handlers) {
    let endpoint = byServer.get(this)
    if (endpoint === undefined) {
      endpoint = { methods: new Map(), peer: '' }
      byServer.set(this, endpoint)
      endpoints.push(endpoint)
    }
    addService.call(this, definition, watched(definition, handlers, endpoint))
  }
  const stop = () => {
    Server.prototype.addService = addService
  }
  return { endpoints, stop }
}

type AddService = Parameters<Server['addService']>

function watched(
  definition: AddService[0],
  handlers: AddService[1],
  endpoint: Endpoint,
): AddService[1] {
  const watching: Record<string, AddService[1][string]> = {}
  for (const [name, method] of Object.entries(definition)) {
    // Cast: of the four kinds of handler it is whichever the definition says.
    const handle = handlers[name] as Handle | undefined
    if (handle === undefined) continue
    const isUnary = !method.requestStream && !method.responseStream
    const isBidi = method.requestStream
    endpoint.methods.set(method.path, { isUnary, isBidi, read: method.requestDeserialize, handle })
    watching[name] = (one: { getPeer(): string }, done?: Done) => {
      endpoint.peer = one.getPeer()
      handle(one, done)
    }
  }
  return watching
}

function readOrNothing(method: Method, bytes: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: method.read(bytes) }
  } catch {
    return undefined // gRPC itself refuses it
  }
}

type Ended = Omit<Answer, 'logged'>

const NOTHING: Ended = { code: status.OK, details: '', reply: undefined }

const callOf = (request: unknown, peer: string) =>
  Object.assign(new EventEmitter(), { request, metadata: new Metadata(), getPeer: () => peer })

function callUnary({ handle }: Method, request: unknown, peer: string): Promise<Ended> {
  return new Promise((resolve) => {
    handle(callOf(request, peer), (error, reply) =>
      resolve(error === null ? { ...NOTHING, reply } : failed(error)),
    )
  })
}

/** A stream has one request; where it would go on for ever it is cancelled behind its first answer. */
function callStream({ handle, isBidi }: Method, request: unknown, peer: string): Promise<Ended> {
  return new Promise((resolve) => {
    const stream = Object.assign(callOf(request, peer), {
      // What a stream that is none must have of one: see `requestsOf` in proto/serve.ts.
      _readableState: { highWaterMark: 1 },
      write(_message: unknown, done: () => void) {
        if (!isBidi) setImmediate(() => stream.emit('cancelled'))
        setImmediate(done)
        return true
      },
      end: () => resolve(NOTHING),
      async *iterator() {
        yield request
      },
    })
    stream.on('error', (error) => resolve(failed(error)))
    handle(stream)
  })
}

function failed(error: unknown): Ended {
  // Cast: `toStatus` made it.
  const { code, details } = error as StatusObject
  return { code, details, reply: undefined }
}
