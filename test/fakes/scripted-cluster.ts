/** An API server whose every answer is written by the test; its watches say what the test has it say. */
import type { Cluster, ClusterRequest, WatchEvent, WatchRequest } from '../../kubernetes/cluster.ts'
import { refusal } from '../../kubernetes/status.ts'

export interface ScriptedCluster extends Cluster {
  /** All that was asked, in order; not the watches. */
  readonly asked: readonly ClusterRequest[]
  /** An event for every open watch of this path. */
  tell(path: string, event: WatchEvent): void
}

export class Refused {
  readonly status: number
  readonly message: string

  constructor(status: number, message = 'no reason') {
    this.status = status
    this.message = message
  }
}

/** @param answer what is sent; a `Refused` is what the server refuses with */
export function scriptedCluster(answer: (request: ClusterRequest) => unknown): ScriptedCluster {
  const asked: ClusterRequest[] = []
  const watches = new Set<{ readonly path: string; readonly tell: (event: WatchEvent) => void }>()
  async function* events({ path, signal }: WatchRequest): AsyncGenerator<WatchEvent> {
    const queue: WatchEvent[] = []
    let wake = () => {}
    const tell = (event: WatchEvent) => {
      queue.push(event)
      wake()
    }
    const open = { path, tell }
    watches.add(open)
    signal.addEventListener('abort', () => wake())
    while (!signal.aborted) {
      const event = queue.shift()
      if (event !== undefined) yield event
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    watches.delete(open)
  }
  return {
    server: 'https://scripted:6443',
    asked,
    async request(request) {
      asked.push(request)
      const answered = await answer(request)
      if (!(answered instanceof Refused)) return answered
      const { status, message } = answered
      throw refusal(`${request.method} ${request.path}`, status, JSON.stringify({ message }))
    },
    watch: async (request) => events(request),
    tell(path, event) {
      for (const watch of watches) if (watch.path === path) watch.tell(event)
    },
    [Symbol.dispose]: () => {},
  }
}
