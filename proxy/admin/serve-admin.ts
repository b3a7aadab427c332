/**
 * The endpoint of operators: what the proxy does, in JSON, over loopback or a Unix socket. What changes anything is taken over
 * the Unix socket alone, whose file says who may: on loopback the workload itself could switch off what protects it. Fails
 * closed: a request that names another host than loopback is a web page's and is refused.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Address, showAddress } from '../../config/address.ts'
import { parseDurationMs } from '../../config/duration.ts'
import type { Log } from '../../log/open-log.ts'
import { bindServer, endServer } from '../../proto/bind-server.ts'
import { createServer } from '../../proto/node-http.ts'
import { peerCredentialsOf } from '../../proto/peer-credentials.ts'
import { prepareSocketPath } from '../../proto/unix-listener.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { InboundConfig } from '../config.ts'
import type { Engine } from '../enforce/engine.ts'
import type { KillSwitch } from '../enforce/kill-switch.ts'
import type { ProxyIdentity } from '../identity/identity.ts'
import type { PolicySource } from '../policy-source/policy-source.ts'
import type { Self } from '../self.ts'
import type { OpenListener } from '../serving-plane.ts'
import type { TrafficReport } from '../telemetry/traffic-report.ts'
import type { WorkerStatus } from '../workers/keep-worker.ts'
import {
  certificatesPage,
  connectionsPage,
  killSwitchPage,
  plaintextPage,
  policyPage,
  statusPage,
} from './pages.ts'
import { readJsonBody } from './read-json-body.ts'

export interface AdminOptions {
  readonly address: Address
  readonly identity: Pick<ProxyIdentity, 'current'>
  readonly engine: Engine
  readonly source: PolicySource
  readonly killSwitch: KillSwitch
  readonly self: Self
  readonly listeners: readonly OpenListener[]
  readonly inbound: readonly InboundConfig[]
  /** Since when it takes connections: what was not seen was not seen for this long. */
  readonly since: Date
  readonly version: string
  readonly log: Log
  /** What is open and what was counted, of all workers together. */
  look(): Promise<TrafficReport>
  /** None where the process serves by itself. */
  workers(): readonly WorkerStatus[]
  /** Takes no more connections and ends the process when those that are open have ended. */
  drain(): void
}

/** What pages are made of. */
export interface Shown extends AdminOptions {
  readonly seen: TrafficReport
}

export interface AdminListener extends AsyncDisposable {
  readonly address: Address
}

const MAX_CONNECTIONS = 50
const REQUEST_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 16 * 1024
const SOCKET_MODE = 0o660
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

const PAGES: Readonly<Record<string, (options: Shown) => object>> = {
  '/status': statusPage,
  '/policy': policyPage,
  '/certificates': certificatesPage,
  '/connections': connectionsPage,
  '/plaintext-callers': plaintextPage,
  '/kill-switch': ({ killSwitch }) => killSwitchPage(killSwitch.state()),
}

/** `by` is whom the kernel names. */
type Change = (
  options: AdminOptions,
  by: string,
  request: IncomingMessage,
) => object | Promise<object>

const CHANGES: Readonly<Record<string, Change>> = {
  'POST /drain'({ log, drain }, by) {
    log.warn({ audit: true, by }, 'Drain requested')
    drain()
    return { draining: true }
  },
  async 'POST /kill-switch'({ killSwitch }, by, request) {
    const { for: duration, reason } = await readJsonBody(request)
    if (typeof duration !== 'string' || typeof reason !== 'string') {
      const expected = '{"for": "15m", "reason": "…"}'
      throw new IdentityError('REQUEST_INVALID', `expected ${expected}`)
    }
    return killSwitchPage(killSwitch.on({ durationMs: durationOf(duration), reason, by }))
  },
  'DELETE /kill-switch'({ killSwitch }, by) {
    killSwitch.off(by)
    return killSwitchPage(killSwitch.state())
  },
}

/** @throws IdentityError CONFIG_INVALID when the address cannot be had */
export async function serveAdmin(options: AdminOptions): Promise<AdminListener> {
  const { address, log } = options
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
    (request, response) => void answer(options, request, response),
  )
  server.maxConnections = MAX_CONNECTIONS
  if (address.kind === 'unix') await prepareSocketPath(address.path)
  const port = await bindServer(
    server,
    address.kind === 'unix'
      ? { path: address.path, mode: SOCKET_MODE }
      : { host: address.host, port: address.port },
    { shown: showAddress(address), key: 'proxy.admin.listen' },
  )
  const where: Address = address.kind === 'tcp' ? { ...address, port } : address
  log.info({ address: showAddress(where) }, 'Serving the admin endpoint')
  return {
    address: where,
    [Symbol.asyncDispose]: () => endServer(server, () => server.closeAllConnections()),
  }
}

async function answer(
  options: AdminOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(`${JSON.stringify(body, undefined, 2)}\n`)
  }
  try {
    const path = (request.url ?? '').replace(/\?.*$/s, '')
    checkHost(options, request)
    if (request.method === 'GET') {
      const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined
      if (page === undefined) send(404, { error: 'no such page', pages: Object.keys(PAGES) })
      else send(200, page({ ...options, seen: await options.look() }))
      return
    }
    send(200, await change(options, request, path))
  } catch (error) {
    if (error instanceof IdentityError) {
      send(statusOf(error), { error: error.message, code: error.code })
      return
    }
    options.log.error({ err: error }, 'The admin endpoint failed')
    send(500, { error: 'internal error' })
  }
}

/** A page of the web may ask loopback in a browser's name; it cannot choose the host that it names. */
function checkHost({ address }: AdminOptions, { headers }: IncomingMessage): void {
  if (address.kind === 'unix' || LOOPBACK_HOST.test(headers.host ?? '')) return
  throw new IdentityError('NOT_AUTHORIZED', 'the host is not loopback')
}

async function change(
  options: AdminOptions,
  request: IncomingMessage,
  path: string,
): Promise<object> {
  if (options.address.kind !== 'unix') {
    const todo = 'listen on a Unix socket: proxy { admin { listen = "unix:/path" } }'
    throw new IdentityError('NOT_AUTHORIZED', `nothing can be changed over loopback; ${todo}`)
  }
  const by = callerOf(request.socket)
  const wanted = `${request.method} ${path}`
  const found = Object.hasOwn(CHANGES, wanted) ? CHANGES[wanted] : undefined
  if (found !== undefined) return await found(options, by, request)
  const known = Object.keys(CHANGES).join(', ')
  throw new IdentityError('NOT_FOUND', `there is no ${wanted}; there are ${known}`)
}

function durationOf(text: string): number {
  try {
    return parseDurationMs(text)
  } catch (cause) {
    throw new IdentityError('REQUEST_INVALID', `for: ${reasonOf(cause)}`, { cause })
  }
}

/** For the audit: whom the kernel names. @throws IdentityError when it names nobody */
function callerOf(socket: Socket): string {
  using caller = peerCredentialsOf(socket)
  return `uid ${caller.uid}, pid ${caller.pid}`
}

function statusOf({ code }: IdentityError): number {
  switch (code) {
    case 'NOT_FOUND':
      return 404
    case 'NOT_AUTHORIZED':
      return 403
    case 'REQUEST_INVALID':
      return 400
    default:
      return 503
  }
}
