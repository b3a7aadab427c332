/**
 * `/live` and `/ready` for whoever restarts or routes to this process: 200 when all is well, else 500, and which part
 * is not. The parts are asked at each request; a part that does not answer in time is unwell.
 *
 * @see SPIRE API §10 — HTTP
 */
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import type { Answer, HttpListener } from './listen-http.ts'

export interface HealthConfig {
  readonly host: string
  readonly port: number
  readonly livePath: string
  readonly readyPath: string
}

export interface HealthCheck {
  /** As SPIRE names it, e.g. `catalog.datastore`. */
  readonly name: string
  /** @throws saying why it is unwell */
  check(): Promise<void>
  /** A restart would not help: the process counts as live, but not as ready. */
  readonly isOnlyReadiness?: boolean
}

export interface HealthDeps {
  readonly checks: readonly HealthCheck[]
  readonly clock: Clock
  readonly log: Log
}

const MAX_CHECK_MS = 5_000

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound */
export async function serveHealth(config: HealthConfig, deps: HealthDeps): Promise<HttpListener> {
  const { host, port, livePath, readyPath } = config
  const judge = sharing(() => judgeAll(deps))
  // Node loads a whole HTTP client with it, which a process without these pages starts sooner without.
  const { listenHttp } = await import('./listen-http.ts')
  const listener = await listenHttp({
    ...{ host, port, portKey: 'health_checks.bind_port' },
    pages: {
      [livePath]: async () => show(await judge(), ({ isLive }) => isLive),
      [readyPath]: async () => show(await judge(), ({ reason }) => reason === undefined),
    },
  })
  deps.log.info({ address: `${host}:${listener.port}` }, 'Serving health checks')
  return listener
}

interface Verdict {
  readonly name: string
  /** Undefined: it is well. */
  readonly reason: string | undefined
  readonly isLive: boolean
}

/** Requests at the same time share one run: probes in a flood cost no more than one. */
function sharing<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }
}

async function judgeAll({ checks, clock, log }: HealthDeps): Promise<readonly Verdict[]> {
  const verdicts = await Promise.all(checks.map((check) => judge(check, clock)))
  for (const { name, reason } of verdicts) {
    if (reason !== undefined) log.warn({ check: name, reason }, 'Health check failed')
  }
  return verdicts
}

async function judge(health: HealthCheck, clock: Clock): Promise<Verdict> {
  const { name, isOnlyReadiness = false } = health
  const over = new AbortController()
  try {
    await Promise.race([health.check(), tooLate(clock, over.signal)])
    return { name, reason: undefined, isLive: true }
  } catch (error) {
    // Whatever is no refusal of ours may say more than a stranger should know.
    const reason = error instanceof IdentityError ? reasonOf(error) : 'internal error'
    return { name, reason, isLive: isOnlyReadiness }
  } finally {
    over.abort()
  }
}

async function tooLate(clock: Clock, over: AbortSignal): Promise<void> {
  await clock.sleep(MAX_CHECK_MS, over)
  if (over.aborted) return
  throw new IdentityError('DEADLINE_EXCEEDED', `no answer within ${MAX_CHECK_MS / 1000} s`)
}

function show(verdicts: readonly Verdict[], isWell: (verdict: Verdict) => boolean): Answer {
  const body = Object.fromEntries(
    verdicts.map(({ name, reason }) => [name, reason === undefined ? {} : { err: reason }]),
  )
  return {
    status: verdicts.every(isWell) ? 200 : 500,
    contentType: 'application/json',
    body: `${JSON.stringify(body)}\n`,
  }
}
