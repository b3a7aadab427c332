/**
 * Opens a cluster by kubeconfig or from inside a pod. What a kubeconfig says (certificates, exec plugins, token files) is read
 * by @kubernetes/client-node, which is loaded only by a process that is given one: it costs 88 MB of memory.
 */
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request as requestHttps } from 'node:https'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { readBounded } from '../spiffe/read-bounded.ts'
import type { Cluster, ClusterRequest, WatchEvent, WatchRequest } from './cluster.ts'
import { isRecord } from './object.ts'
import { readLines } from './read-lines.ts'
import { readServiceAccount } from './service-account.ts'
import { refusal } from './status.ts'

// Node's own import of it would load fetch as well: 36 ms of processor time and 9 MiB of every process.
const { request: requestHttp } = process.getBuiltinModule('node:http')

export interface ClusterOptions {
  /** Path of a kubeconfig file; undefined or empty: the service account of the pod we run in. */
  readonly kubeconfig: string | undefined
  /** Of the kubeconfig; undefined: its current one. */
  readonly context?: string
}

/** Adds address, trust and credentials to a request; asked for each one, because tokens are exchanged on disk. */
type Authenticate = (options: RequestOptions) => Promise<void>

const REQUEST_TIMEOUT_MS = 30_000
/** The server ends a watch by itself before this; a longer silence is a dead connection. */
const WATCH_SILENCE_MS = 10 * 60_000
const KEEP_ALIVE_MS = 15_000
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_ERROR_BYTES = 64 * 1024

/** @throws IdentityError CONFIG_INVALID when the file cannot be read or used, or we are in no pod */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { kubeconfig, context } = options
  const isInPod = (kubeconfig === undefined || kubeconfig === '') && context === undefined
  const { server, authenticate } = isInPod ? readServiceAccount() : await readKubeconfig(options)
  const stop = new AbortController()
  const open = (request: ClusterRequest, timeoutMs: number) =>
    send(
      server,
      authenticate,
      { ...request, signal: anyOf(stop.signal, request.signal) },
      timeoutMs,
    )
  return {
    server,
    async request(request) {
      const answer = await open(request, REQUEST_TIMEOUT_MS)
      const text = await readAll(answer, MAX_ANSWER_BYTES)
      return text === '' ? undefined : parseAnswer(request, text)
    },
    watch: (request) => watch(request, open),
    [Symbol.dispose]: () => stop.abort(),
  }
}

/** @throws IdentityError CONFIG_INVALID */
export async function readKubeconfig({ kubeconfig, context }: ClusterOptions) {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (kubeconfig === undefined || kubeconfig === '') config.loadFromCluster()
    else config.loadFromFile(kubeconfig)
    if (context !== undefined) config.setCurrentContext(context)
  } catch (error) {
    const where = kubeconfig ? `the kubeconfig ${kubeconfig}` : 'the service account of this pod'
    throw unusable(where, reasonOf(error), error)
  }
  const server = config.getCurrentCluster()?.server
  if (server === undefined || !URL.canParse(server)) {
    if (kubeconfig === undefined || kubeconfig === '') {
      const why = 'KUBERNETES_SERVICE_HOST names none; outside of a pod, a kubeconfig must be named'
      throw unusable('the API server of this pod', why)
    }
    const seen = server ? ` that is a URL: ${server}` : ''
    throw unusable(`the kubeconfig ${kubeconfig}`, `it names no API server${seen}`)
  }
  const authenticate: Authenticate = (options) => config.applyToHTTPSOptions(options)
  return { server, authenticate, config }
}

function unusable(where: string, why: string, cause?: unknown): IdentityError {
  return new IdentityError('CONFIG_INVALID', `cannot use ${where}: ${why}`, { cause })
}

/** Sends one request and resolves with a successful answer, its body still to be read. */
async function send(
  server: string,
  authenticate: Authenticate,
  request: ClusterRequest,
  timeoutMs: number,
): Promise<IncomingMessage> {
  const { method, path, query, body, signal } = request
  const what = `${method} ${path}`
  const url = new URL(server.replace(/\/$/, '') + path)
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value)
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const options: RequestOptions = {
    method,
    timeout: timeoutMs,
    ...(signal === undefined ? {} : { signal }),
    headers: {
      accept: request.accept ?? 'application/json',
      'user-agent': 'steeple',
      ...(payload === undefined
        ? {}
        : { 'content-type': contentType(request), 'content-length': payload.length }),
    },
  }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const fail = (error: unknown) => reject(unreachable(server, what, error))
  try {
    await authenticate(options)
    const asking = (url.protocol === 'http:' ? requestHttp : requestHttps)(url, options, resolve)
    asking.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS))
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    asking.on('error', fail)
    asking.end(payload)
  } catch (error) {
    fail(error)
  }
  const answer = await promise
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return answer
  throw refusal(what, status, await readAll(answer, MAX_ERROR_BYTES))
}

function contentType({ method, contentType }: ClusterRequest): string {
  if (contentType !== undefined) return contentType
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}

function unreachable(server: string, what: string, error: unknown): IdentityError {
  if (error instanceof IdentityError) return error
  return new IdentityError(
    'UNAVAILABLE',
    `the API server ${server} did not answer ${what}: ${reasonOf(error)}`,
    { cause: error },
  )
}

async function watch(
  { path, query, signal }: WatchRequest,
  open: (request: ClusterRequest, timeoutMs: number) => Promise<IncomingMessage>,
): Promise<AsyncIterable<WatchEvent>> {
  const request: ClusterRequest = {
    ...{ method: 'GET', path, signal },
    query: { ...query, watch: 'true' },
  }
  return readEvents(request, await open(request, WATCH_SILENCE_MS))
}

async function* readEvents(
  request: ClusterRequest,
  answer: IncomingMessage,
): AsyncGenerator<WatchEvent> {
  try {
    for await (const line of readLines(answer, MAX_ANSWER_BYTES)) {
      const event = parseAnswer(request, line)
      if (isWatchEvent(event)) yield event
    }
  } catch (error) {
    if (!request.signal?.aborted) throw brokenOff(`the watch of ${request.path}`, error)
  } finally {
    answer.destroy()
  }
}

function brokenOff(what: string, error: unknown): IdentityError {
  if (error instanceof IdentityError) return error
  return new IdentityError('UNAVAILABLE', `the API server broke off ${what}: ${reasonOf(error)}`, {
    cause: error,
  })
}

const EVENTS: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'])

/** A word that is not known might mean the end of an object as well as its change, so it means nothing. */
function isWatchEvent(value: unknown): value is WatchEvent {
  return isRecord(value) && EVENTS.has(value.type) && 'object' in value
}

function parseAnswer({ method, path }: ClusterRequest, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new IdentityError(
      'UNAVAILABLE',
      `the API server answered ${method} ${path} with what is no JSON: ${reasonOf(error)}`,
    )
  }
}

async function readAll(answer: IncomingMessage, maxBytes: number): Promise<string> {
  try {
    const body = await readBounded(answer, maxBytes)
    if (body !== undefined) return body.toString('utf8')
    throw new Error(`its answer is larger than ${maxBytes} bytes`)
  } catch (error) {
    throw brokenOff('its answer', error)
  }
}

function anyOf(stop: AbortSignal, signal: AbortSignal | undefined): AbortSignal {
  return signal === undefined ? stop : AbortSignal.any([stop, signal])
}
