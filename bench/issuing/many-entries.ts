/** Entries in great number, created over the administrators' socket. */
import { credentials } from '@grpc/grpc-js'
import { entryApi } from '../../proto/load.ts'
import type { Server } from '../../test/processes/cluster.ts'

export interface ManyEntries {
  /** Undefined: parents that nobody else has, `ENTRIES_PER_PARENT` below each. */
  readonly parentId: string | undefined
  /** Of each entry: this and a number. */
  readonly pathPrefix: string
  readonly count: number
  /** Of entry `index`; one of its own each when left out. */
  selector?(index: number): { readonly type: string; readonly value: string }
}

const BATCH = 200
/** As many as a node may have. */
const ENTRIES_PER_PARENT = 100

/** In batches, one after the other. @returns IDs of the entries, in order. @throws Error when one of them was refused */
export async function createEntries(server: Server, wanted: ManyEntries): Promise<string[]> {
  const client = new (entryApi())(`unix:${server.socket}`, credentials.createInsecure())
  const { parentId, pathPrefix, count } = wanted
  const { selector = (index: number) => ({ type: 'unix', value: `uid:${100_000 + index}` }) } =
    wanted
  const parentPath = (index: number) =>
    parentId === undefined
      ? `/node/${Math.floor(index / ENTRIES_PER_PARENT)}`
      : new URL(parentId).pathname
  const ids: string[] = []
  const batch = (from: number) =>
    new Promise<void>((resolve, reject) => {
      const entries = Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => ({
        spiffe_id: { trust_domain: server.trustDomain, path: `${pathPrefix}${from + at}` },
        parent_id: { trust_domain: server.trustDomain, path: parentPath(from + at) },
        selectors: [selector(from + at)],
      }))
      client.BatchCreateEntry({ entries }, (error, response) => {
        if (error !== null) return reject(error)
        for (const [at, { status, entry }] of (response?.results ?? []).entries()) {
          if (status?.code !== 0) return reject(new Error(`refused: ${status?.message}`))
          ids[from + at] = entry?.id ?? ''
        }
        resolve()
      })
    })
  try {
    for (let from = 0; from < count; from += BATCH) await batch(from)
    return ids
  } finally {
    client.close()
  }
}
