/**
 * Keeps a copy of all objects of one kind: lists them once, then follows the watch from there. A watch that ends is
 * resumed where it was; only when the server has forgotten that place is everything listed anew, and then too only
 * differences are told. While the server is away the copy stays as it is, and says so.
 */
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import type { Random } from '../spiffe/random.ts'
import type { Cluster, WatchEvent } from './cluster.ts'
import { type ObjectMeta, readMeta, recordAt, textAt } from './object.ts'
import { readPages } from './read-pages.ts'
import { isGone, statusOf } from './status.ts'

export interface Followed {
  readonly meta: ObjectMeta
}

export type ObjectChange<T> =
  | { readonly kind: 'set'; readonly object: T; readonly before: T | undefined }
  | { readonly kind: 'removed'; readonly before: T }

export interface FollowOptions<T extends Followed> {
  readonly cluster: Cluster
  /** Of the list, e.g. `/api/v1/pods`. */
  readonly path: string
  /** E.g. a `fieldSelector`. */
  readonly query?: Readonly<Record<string, string>>
  /** What to keep of an object; undefined leaves it out. */
  readonly read: (object: unknown, meta: ObjectMeta) => T | undefined
  /** Called in the server's order, after the copy has changed. */
  readonly changed?: (change: ObjectChange<T>) => void
  /** Called each time the copy is complete again, after a list or a resumed watch. */
  readonly synced?: () => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface ObjectCopy<T extends Followed> {
  get(namespace: string, name: string): T | undefined
  values(): Iterable<T>
  readonly size: number
  /** Resolves when the first list has been read. */
  readonly complete: Promise<void>
  /** Why the copy may be old: the last failure since it was in touch; undefined while it is. */
  problem(): string | undefined
  /** Runs until the signal aborts; never rejects. */
  follow(signal: AbortSignal): Promise<void>
}

/** The server ends a watch after about this long, so that a connection which died unnoticed is replaced. */
const WATCH_SECONDS = 290
/** A watch that ended sooner, without a word, was none: asking at once again would never end. */
const SHORT_WATCH_MS = 1_000
const FIRST_RETRY_MS = 200
const MAX_RETRY_MS = 15_000

export function copyObjects<T extends Followed>(options: FollowOptions<T>): ObjectCopy<T> {
  const { cluster, path, query, clock, random, log } = options
  const copy = createCopy(options)
  const complete = Promise.withResolvers<void>()
  let problem: string | undefined

  const inTouch = () => {
    if (problem !== undefined) log.info({ path }, 'Following the API server again')
    problem = undefined
    complete.resolve()
    options.synced?.()
  }

  const list = async (signal: AbortSignal): Promise<Place> => {
    const seen = new Set<string>()
    let version = ''
    const pages = { cluster, path, signal, ...(query === undefined ? {} : { query }) }
    for await (const page of readPages(pages)) {
      for (const item of page.items) {
        const meta = readMeta(item)
        if (meta === undefined) continue
        seen.add(keyOf(meta))
        copy.set(item, meta)
      }
      version = page.version
    }
    copy.keepOnly(seen)
    return { version }
  }

  /** Moves `place` on with each event, so that nothing is told twice after a break; throws when it ends with an error. */
  const watchFrom = async (place: Place, signal: AbortSignal, accepted: () => void) => {
    const seconds = Math.round(WATCH_SECONDS * (0.9 + 0.2 * random()))
    const events = await cluster.watch({
      ...{ path, signal },
      query: {
        ...query,
        ...{ resourceVersion: place.version, allowWatchBookmarks: 'true' },
        timeoutSeconds: String(seconds),
      },
    })
    accepted()
    const acceptedMs = clock.now().getTime()
    let isSilent = true
    for await (const event of events) {
      if (event.type === 'ERROR') throw watchError(path, event)
      isSilent = false
      const meta = readMeta(event.object)
      place.version = meta?.resourceVersion ?? bookmark(event) ?? place.version
      if (meta === undefined || event.type === 'BOOKMARK') continue
      if (event.type === 'DELETED') copy.remove(meta)
      else copy.set(event.object, meta)
    }
    if (!isSilent || signal.aborted) return
    if (clock.now().getTime() - acceptedMs >= SHORT_WATCH_MS) return
    throw new IdentityError('UNAVAILABLE', `the API server ended the watch of ${path} at once`)
  }

  return {
    get: copy.get,
    values: copy.values,
    get size() {
      return copy.size()
    },
    complete: complete.promise,
    problem: () => problem,
    async follow(signal) {
      let place: Place | undefined
      let retryMs = FIRST_RETRY_MS
      while (!signal.aborted) {
        let acceptedMs = Number.POSITIVE_INFINITY
        try {
          if (place === undefined) {
            place = await list(signal)
            inTouch()
          }
          await watchFrom(place, signal, () => {
            if (problem !== undefined) inTouch()
            acceptedMs = clock.now().getTime()
          })
        } catch (error) {
          if (signal.aborted) return
          // That it accepts a watch says nothing yet: it may end each of them at once.
          if (clock.now().getTime() - acceptedMs >= SHORT_WATCH_MS) retryMs = FIRST_RETRY_MS
          if (error instanceof WatchGone || statusOf(error) === 410) {
            place = undefined
            log.debug({ path }, 'The API server has forgotten where we were: listing anew')
          } else {
            if (problem === undefined) {
              log.warn({ path, err: error }, 'Lost touch with the API server; what is known stays')
            }
            problem = reasonOf(error)
          }
          await clock.sleep(retryMs * (0.5 + random()), signal)
          retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
        }
      }
    },
  }
}

/** The version that the copy has reached. */
interface Place {
  version: string
}

class WatchGone extends Error {}

function watchError(path: string, { object }: WatchEvent): Error {
  if (isGone(object)) return new WatchGone()
  const message = textAt(object, 'message') ?? 'it gave no reason'
  return new IdentityError('UNAVAILABLE', `the API server ended the watch of ${path}: ${message}`)
}

/** A bookmark carries a version and nothing else. */
function bookmark({ object }: WatchEvent): string | undefined {
  return textAt(recordAt(object, 'metadata'), 'resourceVersion')
}

function keyOf({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

function createCopy<T extends Followed>({ read, changed }: FollowOptions<T>) {
  const objects = new Map<string, T>()
  const drop = (key: string) => {
    const before = objects.get(key)
    if (before === undefined) return
    objects.delete(key)
    changed?.({ kind: 'removed', before })
  }
  const set = (item: unknown, meta: ObjectMeta) => {
    const key = keyOf(meta)
    const before = objects.get(key)
    if (before?.meta.resourceVersion === meta.resourceVersion) return
    // Another object under the same name is not a change of the old one, but its end.
    if (before !== undefined && before.meta.uid !== meta.uid) drop(key)
    const object = read(item, meta)
    if (object === undefined) return drop(key)
    const known = objects.get(key)
    objects.set(key, object)
    changed?.({ kind: 'set', object, before: known })
  }
  return {
    get: (namespace: string, name: string) => objects.get(keyOf({ namespace, name })),
    values: () => objects.values(),
    size: () => objects.size,
    set,
    /** The end of an object is not that of the one which has its name now. */
    remove(meta: ObjectMeta) {
      const key = keyOf(meta)
      if (objects.get(key)?.meta.uid === meta.uid) drop(key)
    },
    keepOnly(keys: ReadonlySet<string>) {
      for (const key of [...objects.keys()]) if (!keys.has(key)) drop(key)
    },
  }
}
