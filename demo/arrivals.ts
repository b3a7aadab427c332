/** Creates entries and measures how long their SVIDs take to a Workload API stream that was open before. */
import { once } from 'node:events'
import { credentials, Metadata } from '@grpc/grpc-js'
import { entryApi, workloadApi } from '../proto/load.ts'
import { until } from '../test/processes/process.ts'

export interface Arrivals extends AsyncDisposable {
  /** @returns milliseconds from the call to the SVID */
  create(parentId: string, path: string): Promise<number>
}

export interface ArrivalsOptions {
  /** Socket paths of the server and of the agent. */
  readonly admin: string
  readonly workload: string
  readonly trustDomain: string
  readonly agentId: string
  /** What the agent finds out about this process and no other. */
  readonly selector: { readonly type: string; readonly value: string }
}

type Stream = ReturnType<InstanceType<ReturnType<typeof workloadApi>>['FetchX509SVID']>

/** Resolves when the stream is open; it is this process that gets the SVIDs. */
export async function watchArrivals(options: ArrivalsOptions): Promise<Arrivals> {
  const { admin, workload, trustDomain, agentId, selector } = options
  const entries = new (entryApi())(`unix:${admin}`, credentials.createInsecure())
  const client = new (workloadApi())(`unix:${workload}`, credentials.createInsecure())
  const waiting = new Map<string, () => void>()
  const header = new Metadata()
  header.set('workload.spiffe.io', 'true')

  const createEntry = (parentId: string, path: string) =>
    new Promise<void>((resolve, reject) => {
      const entry = {
        spiffe_id: { trust_domain: trustDomain, path },
        parent_id: { trust_domain: trustDomain, path: new URL(parentId).pathname },
        selectors: [selector],
      }
      entries.BatchCreateEntry({ entries: [entry] }, (error) => (error ? reject(error) : resolve()))
    })
  const open = async (): Promise<Stream> => {
    const stream = client.FetchX509SVID({}, header).on('data', ({ svids }) => {
      for (const { spiffe_id } of svids) waiting.get(spiffe_id)?.()
    })
    stream.on('error', () => {})
    await once(stream, 'data')
    return stream
  }

  // Without an entry the stream would be refused, so the first one opens the way.
  await createEntry(agentId, '/first')
  const stream = await until('the first SVID', open)
  return {
    async create(parentId, path) {
      const arrived = new Promise<void>((resolve) =>
        waiting.set(`spiffe://${trustDomain}${path}`, resolve),
      )
      const since = performance.now()
      await createEntry(parentId, path)
      await arrived
      return performance.now() - since
    },
    async [Symbol.asyncDispose]() {
      stream.cancel()
      entries.close()
      client.close()
    },
  }
}
