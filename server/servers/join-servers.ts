/**
 * Takes this server's place among those that share its store, before anything of it is opened, and gives it up at the end.
 * With SQLite there is one server, no place to take, and nothing is written.
 */
import { hostname } from 'node:os'
import type { Log } from '../../log/open-log.ts'
import { aborted } from '../../spiffe/aborted.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { ServerConfig } from '../config.ts'
import type { Store } from '../store/store.ts'
import { createHorizon, type Horizon } from './horizon.ts'
import { enter, type Presence } from './presence.ts'
import {
  decodeServerDocument,
  encodeServerDocument,
  type ServerDocument,
} from './server-document.ts'
import { keptServerKey, ONLY_SERVER_KEY } from './server-key.ts'

/** What changes while the server runs. */
export type ServerNews = Pick<ServerDocument, 'x509' | 'jwt' | 'bundleSequence'>

export interface JoinedServers extends AsyncDisposable {
  readonly key: string
  readonly self: Pick<ServerDocument, 'name' | 'address' | 'version' | 'startedAtMs'>
  /** Undefined: there is one server. */
  readonly shared:
    | {
        readonly presence: Pick<Presence, 'beat'>
        /** Rejects when this server has lost its place: it must not go on. Resolves when the signal aborts. */
        stay(signal: AbortSignal): Promise<void>
        readonly horizon: Horizon
        /** From now on it is told with each beat. */
        tellFrom(news: () => ServerNews): void
      }
    | undefined
}

export interface JoinDeps {
  readonly store: Pick<Store, 'servers'>
  readonly version: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
}

type JoinConfig = Pick<ServerConfig, 'dataDir' | 'bindAddress' | 'bindPort'> & {
  readonly dataStore: { readonly kind: 'sqlite' | 'postgres' }
}

/** @throws IdentityError CONFIG_INVALID when another living server has the same key; UNAVAILABLE */
export async function joinServers(config: JoinConfig, deps: JoinDeps): Promise<JoinedServers> {
  const { store, version, clock, signal, log } = deps
  const self = {
    ...{ name: hostname(), address: `${config.bindAddress}:${config.bindPort}`, version },
    startedAtMs: clock.now().getTime(),
  }
  if (config.dataStore.kind === 'sqlite') {
    return { key: ONLY_SERVER_KEY, self, shared: undefined, async [Symbol.asyncDispose]() {} }
  }
  const key = await keptServerKey(config.dataDir)
  log.info({ server_key: key }, 'Joining the servers of this database')
  let news: (() => ServerNews) | undefined
  let horizon: Horizon | undefined
  const document = (before: string | undefined): string => {
    const earlier = before === undefined ? undefined : decodeServerDocument(before)
    // Until the authorities are open, what the run before said still holds.
    const { x509 = {}, jwt = {}, bundleSequence = 0 } = news?.() ?? earlier ?? {}
    const endsByMs = horizon?.endsByMs() ?? earlier?.endsByMs ?? {}
    return encodeServerDocument({ ...self, x509, jwt, bundleSequence, endsByMs })
  }
  const presence = await enter({
    ...{ registry: store.servers, key, document, clock, signal },
    onFailure: (err) => log.error({ err }, 'The database could not be told that this server lives'),
    onWaiting: () =>
      log.info({ server_key: key }, 'Waiting until the process before is surely gone'),
  })
  const known = presence.before === undefined ? {} : decodeServerDocument(presence.before)?.endsByMs
  horizon = createHorizon({ clock, known: known ?? {}, tell: presence.beat })
  // From the first moment on: whatever is opened now may take longer than a server may be silent.
  const leaving = new AbortController()
  const staying = presence.keep(leaving.signal)
  staying.catch(() => {}) // told by `stay`
  const shared = {
    ...{ presence, horizon },
    stay: (stop: AbortSignal) => Promise.race([staying, aborted(stop)]),
    tellFrom: (source: () => ServerNews) => {
      news = source
    },
  }
  return {
    ...{ key, self, shared },
    async [Symbol.asyncDispose]() {
      leaving.abort()
      // What cannot be told is found out: the server is not seen any more.
      const failed = (err: unknown) => log.warn({ err }, 'The database could not be told the end')
      await presence.beat().then(presence.leave).catch(failed)
    },
  }
}
