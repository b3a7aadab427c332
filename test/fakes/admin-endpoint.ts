/** An agent's admin socket over a real cache, with this process as a caller that is attested for real. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, credentials, Metadata } from '@grpc/grpc-js'
import { serveAdmin } from '../../agent/admin/serve-admin.ts'
import { attestWith } from '../../agent/attest/attest.ts'
import { unixAttestor } from '../../agent/attest/unix/unix-attestor.ts'
import type { CachedEntry } from '../../agent/cache/entry.ts'
import type { IdentitySource } from '../../agent/cache/identity.ts'
import { knowingOnly } from '../../agent/cache/knowledge.ts'
import { createWorkloadCache } from '../../agent/cache/workload-cache.ts'
import { delegatesOf } from '../../agent/delegated-identity/delegate.ts'
import { whyNoneWith } from '../../agent/delegated-identity/why-none.ts'
import { agentSvid } from '../../agent/node/agent-svid.ts'
import { createSyncRecord } from '../../agent/sync/sync-record.ts'
import { createLevelSwitch } from '../../log/level-switch.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { parseSelector } from '../../spiffe/selector.ts'
import { TEST_NOW, testCa } from './ca.ts'
import { cachedEntry, cachedSvid } from './cached-entry.ts'
import { FakeClock } from './clock.ts'
import { memoryLog } from './memory-log.ts'

const ca = await testCa()
const leaf = await (await ca.intermediate()).leaf('/spire/agent/x509pop/1')
const own = agentSvid({ ...leaf, reattestable: true, trustDomain: ca.trustDomain })

export const OWN_UID = `unix:uid:${process.geteuid?.()}`

/** The entry of a delegate: this process. */
export const DELEGATE = cachedEntry('delegate', { selectors: [parseSelector(OWN_UID)] })

export async function openAdminEndpoint() {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-admin-'))
  const path = join(dir, 'private', 'admin.sock')
  const clock = new FakeClock(TEST_NOW)
  const { log, lines } = memoryLog()
  const known = knowingOnly(ca.bundle)
  const cache = createWorkloadCache({ clock, maxSvids: 10, known, svids: [] })
  const sync = createSyncRecord(clock)
  const membership = { svid: () => own }
  const unix = unixAttestor({ discoverWorkloadPath: false, workloadSizeLimitBytes: 0 })
  const attest = attestWith({ attestors: [unix], log })
  const attestorTypes = ['unix']
  const whyNone = whyNoneWith({ cache, membership, sync, attestorTypes, clock })
  const authorized = new Set([parseSpiffeId('spiffe://example.org/delegate')])
  let fetchJwtSvid: IdentitySource['fetchJwtSvid'] = async () => {
    throw new IdentityError('UNAVAILABLE', 'no server is there')
  }
  const source: Pick<IdentitySource, 'fetchJwtSvid'> = {
    fetchJwtSvid: (...asked) => fetchJwtSvid(...asked),
  }
  const delegates = delegatesOf({ authorized, attest, cache, whyNone })
  const admin = await serveAdmin({
    ...{ path, logLevel: createLevelSwitch(log, 'INFO'), log: log.child({ component: 'admin' }) },
    debug: { membership, cache, countJwtSvids: () => 3, sync, clock, startedAt: TEST_NOW },
    delegated: { cache, source, whyNone, attest, delegates, clock },
    explain: { attestors: [unix], cache, membership, sync },
  })
  const clients: Client[] = []
  return {
    ...{ path, clock, lines, log, cache, sync },
    client<C extends Client>(
      Api: new (
        to: string,
        by: ReturnType<typeof credentials.createInsecure>,
        options?: object,
      ) => C,
    ): C {
      const options = { 'grpc.max_receive_message_length': -1 }
      const made = new Api(`unix:${path}`, credentials.createInsecure(), options)
      clients.push(made)
      return made
    },
    mintWith(mint: IdentitySource['fetchJwtSvid']) {
      fetchJwtSvid = mint
    },
    /** As news from the server, SVIDs of all of them included. */
    put(entries: readonly CachedEntry[], removedEntryIds: readonly string[] = []) {
      const rest = { bundle: undefined, federated: undefined }
      cache.apply({ kind: 'changes', entries, removedEntryIds, ...rest })
      cache.store(entries.map((entry) => cachedSvid(entry, TEST_NOW)))
    },
    async [Symbol.asyncDispose]() {
      for (const one of clients) one.close()
      await admin[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }
}

export const noMetadata = (): Metadata => new Metadata()
