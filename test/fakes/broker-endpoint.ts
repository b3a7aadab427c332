/** The Broker API of an agent on real sockets over a real cache, and brokers with real certificates that call it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, credentials, Metadata } from '@grpc/grpc-js'
import { unixAttestor } from '../../agent/attest/unix/unix-attestor.ts'
import type { WorkloadAttestor } from '../../agent/attest/workload-attestor.ts'
import { PID_TYPE } from '../../agent/broker/parse-reference.ts'
import { resolveWith } from '../../agent/broker/resolve-reference.ts'
import { serveBroker } from '../../agent/broker/serve-broker.ts'
import type { AllowedBroker } from '../../agent/broker/settings.ts'
import type { CachedEntry } from '../../agent/cache/entry.ts'
import { knowingOnly } from '../../agent/cache/knowledge.ts'
import { createWorkloadCache } from '../../agent/cache/workload-cache.ts'
import { agentSvid } from '../../agent/node/agent-svid.ts'
import { brokerApi } from '../../proto/load.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import type { TestLeaf } from './ca.ts'
import { cachedSvid } from './cached-entry.ts'
import { FakeClock } from './clock.ts'
import { memoryLog } from './memory-log.ts'
import { currentCa, VALID_NOW } from './svids.ts'

export const BROKER = parseSpiffeId('spiffe://example.org/broker')

const ANY: AllowedBroker = {
  id: BROKER,
  allowedTypes: [{ typeUrl: '*', isAllowedOverTcp: true }],
}
/** Of processes, over the Unix socket alone. */
const LOCAL: AllowedBroker = {
  id: parseSpiffeId('spiffe://example.org/local'),
  allowedTypes: [{ typeUrl: PID_TYPE, isAllowedOverTcp: false }],
}

export interface BrokerEndpointOptions {
  readonly attestors?: readonly WorkloadAttestor[]
  readonly maxSvids?: number
}

export async function openBrokerEndpoint({ attestors = [] }: BrokerEndpointOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-broker-'))
  const socketPath = join(dir, 'private', 'broker.sock')
  const ca = await currentCa('example.org')
  const now = systemClock.now()
  const clock = new FakeClock(now)
  const { log, lines } = memoryLog()
  const cache = createWorkloadCache({
    clock,
    maxSvids: 10,
    known: knowingOnly(ca.bundle),
    svids: [],
  })
  const leaf = await ca.leaf('/spire/agent/x509pop/1', VALID_NOW)
  const own = agentSvid({ ...leaf, reattestable: true, trustDomain: ca.trustDomain })
  const unix = unixAttestor({ discoverWorkloadPath: false, workloadSizeLimitBytes: 0 })
  const settings = {
    socketPath,
    bindAddress: { host: '127.0.0.1', port: 0 },
    brokers: [ANY, LOCAL],
  }
  const endpoint = await serveBroker({
    ...{ settings, cache, clock, log, requirePqKem: false },
    source: {
      async fetchJwtSvid({ id, hint }, audience) {
        return { token: `token for ${audience}`, id, hint, expiresAt: now }
      },
    },
    svid: () => own,
    bundles: cache.knowledge,
    resolve: resolveWith({ attestors: [unix, ...attestors], log }),
  })
  const clients: Client[] = []
  return {
    ...{ ca, cache, clock, lines, socketPath },
    /** As news from the server, SVIDs of all of them included. */
    put(entries: readonly CachedEntry[], removedEntryIds: readonly string[] = [], bundle?: Bundle) {
      cache.apply({ kind: 'changes', entries, removedEntryIds, bundle, federated: undefined })
      cache.store(entries.map((entry) => cachedSvid(entry, now)))
    },
    /** @param leaf what it shows; undefined: nothing */
    connect(leaf: TestLeaf | undefined, transport: 'unix' | 'tcp' = 'unix') {
      const target = transport === 'unix' ? `unix:${socketPath}` : `127.0.0.1:${endpoint.port}`
      const made = new (brokerApi())(target, tls(leaf), {
        'grpc.default_authority': 'agent',
        'grpc.enable_retries': 0,
      })
      clients.push(made)
      return made
    },
    leaf: (path = '/broker') => ca.leaf(path, VALID_NOW),
    async [Symbol.asyncDispose]() {
      for (const one of clients) one.close()
      await endpoint[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }

  function tls(leaf: TestLeaf | undefined) {
    const roots = ca.bundle.x509Authorities.map(({ der }) => toPem('CERTIFICATE', der)).join('')
    const key = leaf?.key.export({ type: 'pkcs8', format: 'pem' }) ?? null
    const cert = leaf && toPemChain(leaf.chain)
    return credentials.createSsl(
      Buffer.from(roots),
      key === null ? null : Buffer.from(key),
      cert === undefined ? null : Buffer.from(cert),
      { checkServerIdentity: () => undefined },
    )
  }
}

export function brokerHeader(value = 'true'): Metadata {
  const metadata = new Metadata()
  metadata.set('broker.spiffe.io', value)
  return metadata
}
