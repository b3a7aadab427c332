/** One stream of SVIDs as Cilium's agent reads it: each message replaces all that was known, and is judged by itself. */

import { X509Certificate } from 'node:crypto'
import type { Client } from '@grpc/grpc-js'
import { expect } from 'vitest'
import type { DelegatedIdentityClient } from '../../../proto/gen/spire/api/agent/delegatedidentity/v1/DelegatedIdentity.ts'
import type { SubscribeToX509SVIDsResponse } from '../../../proto/gen/spire/api/agent/delegatedidentity/v1/SubscribeToX509SVIDsResponse.ts'

type Selectors = readonly { readonly type: string; readonly value: string }[]

export interface Followed extends Disposable {
  /** Paths in the last message; empty before the first. */
  last(): readonly string[]
  /** Messages so far. */
  count(): number
  largestBytes(): number
  /** Every message has had each identity once, with its chain, key and time. */
  requireWhole(): void
  /** What one identity of the last message is made of, without what is its own. */
  shape(): unknown
}

export async function followSvids(
  admin: DelegatedIdentityClient & Client,
  selectors: Selectors,
): Promise<Followed> {
  let last: SubscribeToX509SVIDsResponse | undefined
  let [count, largestBytes] = [0, 0]
  const faults: string[] = []
  let ended: Error | undefined
  const stream = admin.SubscribeToX509SVIDs({ selectors: [...selectors] })
  stream.on('data', (message: SubscribeToX509SVIDsResponse) => {
    last = message
    count += 1
    largestBytes = Math.max(largestBytes, sizeOf(message))
    const paths = pathsIn(message)
    if (new Set(paths).size < paths.length) faults.push(`message ${count} has an identity twice`)
    for (const { x509_svid, x509_svid_key } of message.x509_svids) {
      const isWhole =
        (x509_svid?.cert_chain.length ?? 0) > 0 &&
        x509_svid_key.length > 0 &&
        (x509_svid?.expires_at ?? 0) > 0
      if (!isWhole) faults.push(`message ${count}: ${x509_svid?.id?.path} is not whole`)
    }
  })
  let isOpen = true
  stream.on('error', (error: Error) => {
    if (isOpen) ended = error
  })
  return {
    last() {
      if (ended !== undefined) throw ended
      return last === undefined ? [] : pathsIn(last)
    },
    count: () => count,
    largestBytes: () => largestBytes,
    requireWhole: () => expect(faults).toEqual([]),
    shape() {
      const [one] = last?.x509_svids ?? []
      const leaf = new X509Certificate(one?.x509_svid?.cert_chain[0] ?? Buffer.alloc(0))
      return {
        trustDomain: one?.x509_svid?.id?.trust_domain,
        chain: one?.x509_svid?.cert_chain.length,
        hint: one?.x509_svid?.hint,
        uri: leaf.subjectAltName?.replace(/\d+/, 'N'),
        isCa: leaf.ca,
        usage: leaf.keyUsage,
        federatesWith: last?.federates_with,
      }
    },
    [Symbol.dispose]() {
      isOpen = false
      stream.cancel()
    },
  }
}

function pathsIn({ x509_svids }: SubscribeToX509SVIDsResponse): readonly string[] {
  return x509_svids.map(({ x509_svid }) => x509_svid?.id?.path ?? '')
}

/** As good as exactly: what is long in it. */
function sizeOf({ x509_svids }: SubscribeToX509SVIDsResponse): number {
  const lengths = x509_svids.map(
    ({ x509_svid, x509_svid_key }) =>
      x509_svid_key.length +
      (x509_svid?.cert_chain ?? []).reduce((sum, { length }) => sum + length, 0),
  )
  return lengths.reduce((sum, length) => sum + length, 0)
}
