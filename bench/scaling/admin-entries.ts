/** Entries as an administrator makes them, for agents of the simulation. */
import { credentials } from '@grpc/grpc-js'
import { entryApi } from '../../proto/load.ts'
import type { Server } from '../../test/processes/cluster.ts'

export interface WantedEntry {
  readonly parentId: string
  readonly path: string
  /** 0: the server's default. */
  readonly ttlSeconds: number
}

export interface AdminEntries extends Disposable {
  /** In one call. @returns their IDs, in order @throws Error when one of them was refused */
  create(entries: readonly WantedEntry[]): Promise<readonly string[]>
}

export function openAdminEntries({ socket, trustDomain }: Server): AdminEntries {
  const client = new (entryApi())(`unix:${socket}`, credentials.createInsecure())
  return {
    create: (wanted) =>
      new Promise((resolve, reject) => {
        const entries = wanted.map(({ parentId, path, ttlSeconds }) => ({
          spiffe_id: { trust_domain: trustDomain, path },
          parent_id: { trust_domain: trustDomain, path: new URL(parentId).pathname },
          selectors: [{ type: 'unix', value: 'uid:1' }],
          x509_svid_ttl: ttlSeconds,
        }))
        client.BatchCreateEntry({ entries }, (error, response) => {
          if (error !== null) return reject(error)
          const results = response?.results ?? []
          const refused = results.find(({ status }) => status?.code !== 0)
          if (refused !== undefined) return reject(new Error(`refused: ${refused.status?.message}`))
          resolve(results.map(({ entry }) => entry?.id ?? ''))
        })
      }),
    [Symbol.dispose]: () => client.close(),
  }
}
