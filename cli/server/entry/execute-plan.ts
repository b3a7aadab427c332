/**
 * Does what a plan says, batch by batch and step by step. What the server refuses is told and the rest goes on: each
 * entry stands for itself, and applying the file again continues where this ended.
 */
import type { BatchCreateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchDeleteEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchDeleteEntryResponse.ts'
import type { BatchUpdateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchUpdateEntryResponse.ts'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { Status } from '../../../proto/gen/spire/api/types/Status.ts'
import { entryApi } from '../../../proto/load.ts'
import { attempting, type Endpoint } from '../../rpc/endpoint.ts'
import type { Step } from './plan.ts'

/** Entries of a request: with selectors of a common length far below the 4 MiB that a server takes. */
const BATCH_SIZE = 200

export interface Failure {
  readonly kind: Step['kind']
  readonly id: string
  /** Of gRPC. */
  readonly code: number
  readonly message: string
}

/** @returns what the server refused @throws IdentityError when a whole request fails */
export async function executePlan(
  server: Endpoint,
  steps: readonly Step[],
): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  for (const { kind, entries } of steps) {
    for (let start = 0; start < entries.length; start += BATCH_SIZE) {
      const batch = entries.slice(start, start + BATCH_SIZE)
      const results = await attempting(`unable to ${kind} entries`, send(server, kind, batch))
      for (const [index, { id }] of batch.entries()) {
        const { code, message } = results[index]?.status ?? NO_STATUS
        if (code !== 0) failures.push({ kind, id, code, message })
      }
    }
  }
  return failures
}

/** A server that says nothing of an entry has done nothing with it, for all we know. */
const NO_STATUS: Status = { code: 2, message: 'the server said nothing of it' }

interface Outcome {
  readonly status: Status | null
}

async function send(
  server: Endpoint,
  kind: Step['kind'],
  batch: readonly Entry[],
): Promise<readonly Outcome[]> {
  const client = server.client(entryApi())
  const entries = batch.map(toWhole)
  switch (kind) {
    case 'create': {
      const { results } = await server.call<BatchCreateEntryResponse>((options, done) =>
        client.BatchCreateEntry({ entries }, options, done),
      )
      return results
    }
    case 'update': {
      const { results } = await server.call<BatchUpdateEntryResponse>((options, done) =>
        client.BatchUpdateEntry({ entries }, options, done),
      )
      return results
    }
    case 'delete': {
      const { results } = await server.call<BatchDeleteEntryResponse>((options, done) =>
        client.BatchDeleteEntry({ ids: batch.map(({ id }) => id) }, options, done),
      )
      return results
    }
    default:
      return kind satisfies never
  }
}

/** Attributes that are left out of an update stay as they are, so they are always said. */
function toWhole(entry: Entry): Entry {
  const { additional_attributes: more } = entry
  return {
    ...entry,
    additional_attributes: {
      disable_x509_svid_prefetch: more?.disable_x509_svid_prefetch ?? false,
      jwt_svid_include_jti: more?.jwt_svid_include_jti ?? false,
    },
  }
}
