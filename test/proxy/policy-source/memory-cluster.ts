/** An API server in memory, as much of it as copies of objects need: lists in pages, watches, and its absence. */
import type {
  Cluster,
  ClusterRequest,
  WatchEvent,
  WatchRequest,
} from '../../../kubernetes/cluster.ts'
import { refusal } from '../../../kubernetes/status.ts'
import { IdentityError } from '../../../spiffe/error.ts'

interface Stored {
  readonly path: string
  readonly object: { readonly metadata: Readonly<Record<string, unknown>> }
}

interface Watcher {
  readonly path: string
  readonly tell: (event: WatchEvent | undefined) => void
}

const ALL = ['authorizationpolicies', 'peerauthentications', 'requestauthentications']

export class MemoryCluster implements Cluster {
  readonly server = 'https://memory:6443'
  /** Version of the policies' group → the lists that it has. */
  served: ReadonlyMap<string, readonly string[]> = new Map([['v1', ALL]])
  isAway = false
  #version = 100
  #forgotten = 0
  #created = Date.parse('2026-01-01T00:00:00Z')
  readonly #objects = new Map<string, Stored>()
  readonly #watchers = new Set<Watcher>()
  lists = 0

  /** @param path of the list, such as `/api/v1/namespaces/shop/pods` */
  put(path: string, name: string, rest: object, metadata: object = {}): void {
    const key = `${path}/${name}`
    const before = this.#objects.get(key)
    const namespace = /namespaces\/([^/]+)/.exec(path)?.[1] ?? ''
    this.#version += 1
    this.#created += 1_000
    const object = {
      ...rest,
      metadata: {
        ...{ uid: key, creationTimestamp: new Date(this.#created).toISOString() },
        ...before?.object.metadata,
        ...{ name, namespace, resourceVersion: String(this.#version), ...metadata },
      },
    }
    this.#objects.set(key, { path, object })
    this.#tell(path, { type: before === undefined ? 'ADDED' : 'MODIFIED', object })
  }

  remove(path: string, name: string): void {
    const found = this.#objects.get(`${path}/${name}`)
    this.#objects.delete(`${path}/${name}`)
    if (found !== undefined) this.#tell(path, { type: 'DELETED', object: found.object })
  }

  /** Ends every watch as a server does that goes away or has forgotten where it was. */
  breakOff(how: 'away' | 'gone'): void {
    this.isAway = how === 'away'
    if (how === 'gone') this.#forgotten = this.#version
    const gone = { type: 'ERROR', object: { code: 410, message: 'too old' } } as const
    for (const { tell } of [...this.#watchers]) {
      if (how === 'gone') tell(gone)
      tell(undefined)
    }
  }

  async request({ path }: ClusterRequest): Promise<unknown> {
    if (this.isAway) throw new IdentityError('UNAVAILABLE', 'the API server did not answer')
    const asked = /^\/apis\/security\.istio\.io\/(v1(?:beta1)?)$/.exec(path)
    if (asked !== null) {
      const resources = this.served.get(asked[1] ?? '')
      if (resources === undefined) throw refusal(path, 404, 'not found')
      return { resources: resources.map((name) => ({ name })) }
    }
    this.lists += 1
    const items = [...this.#objects.values()]
      .filter((one) => isUnder(one.path, path))
      .map(({ object }) => object)
    return { metadata: { resourceVersion: String(this.#version) }, items }
  }

  async watch({ path, query, signal }: WatchRequest): Promise<AsyncIterable<WatchEvent>> {
    if (this.isAway) throw new IdentityError('UNAVAILABLE', 'the API server did not answer')
    if (Number(query.resourceVersion) < this.#forgotten) throw refusal(path, 410, 'too old')
    const waiting: WatchEvent[] = []
    let isEnded = false
    let wake = () => {}
    const watcher: Watcher = {
      path,
      tell: (event) => {
        if (event === undefined) isEnded = true
        else waiting.push(event)
        wake()
      },
    }
    const watchers = this.#watchers
    watchers.add(watcher)
    signal.addEventListener('abort', () => watcher.tell(undefined))
    return (async function* () {
      while (true) {
        const next = waiting.shift()
        if (next !== undefined) yield next
        else if (isEnded) break
        else {
          const woken = Promise.withResolvers<void>()
          wake = woken.resolve
          await woken.promise
        }
      }
      watchers.delete(watcher)
    })()
  }

  #tell(path: string, event: WatchEvent): void {
    for (const watcher of this.#watchers) if (isUnder(path, watcher.path)) watcher.tell(event)
  }

  [Symbol.dispose](): void {}
}

/** A list of all namespaces holds those of each. */
function isUnder(path: string, list: string): boolean {
  return path === list || path.replace(/\/namespaces\/[^/]+/, '') === list
}
