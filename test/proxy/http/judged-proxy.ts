/** A proxy of a test: the real data path between real sockets, with a judge that the test writes. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Allow, Permit } from '../../../policy/verdict.ts'
import { DEADLINE_STEP_MS, type Deadlines, openDeadlines } from '../../../proxy/http/deadlines.ts'
import type {
  ExchangeRecord,
  HeadEdits,
  HttpConnection,
  HttpHooks,
  HttpSettings,
  JudgeOccasion,
  RequestHead,
  RequestJudgement,
} from '../../../proxy/http/exchange.ts'
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../../../proxy/http/limits.ts'
import { rbacDenied } from '../../../proxy/http/local-answer.ts'
import { type Http1Pool, openHttp1Pool } from '../../../proxy/http1/pool.ts'
import { serveHttp1 } from '../../../proxy/http1/serve-http1.ts'
import { type Http2Pool, openHttp2Pool } from '../../../proxy/http2/pool.ts'
import { serveHttp2 } from '../../../proxy/http2/serve-http2.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { listenOn } from './raw-client.ts'

export type Judge = (
  head: RequestHead,
  occasion: JudgeOccasion,
) => RequestJudgement | Promise<RequestJudgement>

// Cast: a test stands in for the engine, which alone makes permits.
const permit = { peer: undefined } as unknown as Permit

export function forward(edits?: HeadEdits): RequestJudgement {
  const verdict: Allow = {
    kind: 'allow',
    permit,
    why: 'no-allow-policy',
    by: undefined,
    audited: [],
    shadow: { allow: undefined, deny: undefined },
  }
  return { kind: 'forward', verdict, edits }
}

export const deny: RequestJudgement = {
  kind: 'answer',
  verdict: undefined,
  answer: rbacDenied('ns[shop]-policy[cart]-rule[0]'),
}

/** A record, with what its head said copied: heads are valid only while they are reported. */
export type Reported = ExchangeRecord & { readonly seen: string }

export interface JudgedProxy extends AsyncDisposable {
  readonly port: number
  readonly records: readonly Reported[]
  readonly connections: readonly HttpConnection[]
  readonly clock: FakeClock
  readonly deadlines: Deadlines
  /** Moves time by at least `ms`, one step of the deadlines after the other. */
  pass(ms: number): Promise<void>
}

export interface ProxyOptions {
  readonly upstreamPort: number
  readonly judge?: Judge
  readonly limits?: Partial<HttpLimits>
}

export interface JudgedHttp1Proxy extends JudgedProxy {
  readonly pool: Http1Pool
}

export interface JudgedHttp2Proxy extends JudgedProxy {
  readonly pool: Http2Pool
}

export async function openHttp1Proxy(options: ProxyOptions): Promise<JudgedHttp1Proxy> {
  const base = newBase(options)
  const pool = openHttp1Pool({ ...base.settings, connect: connector(options.upstreamPort) })
  return { ...(await listen(base, options, pool, serveHttp1)), pool }
}

export async function openHttp2Proxy(options: ProxyOptions): Promise<JudgedHttp2Proxy> {
  const base = newBase(options)
  const pool = openHttp2Pool({ ...base.settings, connect: connector(options.upstreamPort) })
  return { ...(await listen(base, options, pool, serveHttp2)), pool }
}

function newBase({ limits }: ProxyOptions) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const deadlines = openDeadlines(clock, stop.signal)
  const settings: HttpSettings = { clock, deadlines, limits: { ...DEFAULT_HTTP_LIMITS, ...limits } }
  return { clock, stop, settings }
}

const connector = (port: number) => async () => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  return socket
}

async function listen<Pool extends { close(): void }>(
  { clock, stop, settings }: ReturnType<typeof newBase>,
  { judge = () => forward() }: ProxyOptions,
  pool: Pool,
  serve: (socket: Duplex, hooks: HttpHooks<Pool>, settings: HttpSettings) => HttpConnection,
): Promise<JudgedProxy> {
  const records: Reported[] = []
  const connections: HttpConnection[] = []
  const sockets = new Set<Socket>()
  const hooks: HttpHooks<Pool> = {
    judge,
    upstream: () => pool,
    onExchangeEnd: (record) => {
      const { head } = record
      records.push({ ...record, seen: head === undefined ? '' : `${head.method} ${head.path}` })
    },
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    connections.push(serve(socket, hooks, settings))
  })
  const port = await listenOn(server)
  return {
    port,
    records,
    connections,
    clock,
    deadlines: settings.deadlines,
    async pass(ms) {
      for (let passed = 0; passed <= ms; passed += DEADLINE_STEP_MS) {
        await clock.sleepers(1)
        clock.advance(DEADLINE_STEP_MS)
      }
      await clock.sleepers(1)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      pool.close()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
