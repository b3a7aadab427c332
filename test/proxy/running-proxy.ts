/** Listeners of the proxy over real sockets, with identities of test CAs and a policy that the test decides. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { parseAddress } from '../../config/address.ts'
import type { ConnectionFacts } from '../../policy/facts.ts'
import type { MtlsMode } from '../../policy/mtls.ts'
import type { ObjectName } from '../../policy/resource.ts'
import type { Permit, Verdict } from '../../policy/verdict.ts'
import { parsePeerPattern } from '../../proxy/config/peer-pattern.ts'
import type { InboundConfig, OutboundConfig } from '../../proxy/config.ts'
import { createConnections } from '../../proxy/enforce/connections.ts'
import type { Enforcement } from '../../proxy/enforce/enforcement.ts'
import type { ConnectionJudge } from '../../proxy/ext-authz/connection-judge.ts'
import { openHbonePool } from '../../proxy/hbone/pool.ts'
import { openDeadlines } from '../../proxy/http/deadlines.ts'
import { acceptClients } from '../../proxy/identity/accepted-peers.ts'
import { listenInbound } from '../../proxy/listen/inbound.ts'
import { fixedWorkload } from '../../proxy/listen/located.ts'
import { listenOutbound } from '../../proxy/listen/outbound.ts'
import type { ProxyContext } from '../../proxy/proxy.ts'
import type { AccessLine } from '../../proxy/telemetry/access-log.ts'
import { openIstioMetrics } from '../../proxy/telemetry/istio-metrics.ts'
import { createLogLimit } from '../../proxy/telemetry/log-limit.ts'
import { strangerParty } from '../../proxy/telemetry/parties.ts'
import { createPlaintextCallers } from '../../proxy/telemetry/plaintext-callers.ts'
import { traceIds } from '../../proxy/tracing/trace-ids.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import type { TlsIdentity } from '../../workload/tls/tls-identity.ts'
import { memoryLog } from '../fakes/memory-log.ts'

/** Policy as the test says it is. */
export class FakeEnforcement implements Enforcement {
  mode: MtlsMode = 'STRICT'
  allows: (facts: ConnectionFacts) => boolean = () => true
  readonly #listeners = new Set<() => void>()

  modeOf(): MtlsMode {
    return this.mode
  }

  modeSources(): readonly ObjectName[] {
    return [{ namespace: 'shop', name: 'strict' }]
  }

  strictMode(): MtlsMode {
    return 'STRICT'
  }

  judgeConnection(facts: ConnectionFacts): Verdict {
    return this.allows(facts) ? allow(facts) : DENY
  }

  connectionJudge(facts: ConnectionFacts): ConnectionJudge {
    return { judge: () => this.judgeConnection(facts), ask: undefined }
  }

  judgeWhateverComes(facts: ConnectionFacts): Verdict {
    return this.judgeConnection(facts)
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
}

const shadow = { allow: undefined, deny: undefined }
const by = { namespace: 'shop', policy: 'nobody', rule: 0 }
const DENY: Verdict = { kind: 'deny', why: 'deny-rule', by, audited: [], shadow }

/** A test may vouch for itself. */
export function allow(facts: ConnectionFacts): Verdict {
  return {
    ...{ kind: 'allow', why: 'no-allow-policy', by: undefined, audited: [], shadow },
    permit: facts as Permit,
  }
}

export function openTestContext(identity: TlsIdentity, change: Partial<ProxyContext> = {}) {
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const access: AccessLine[] = []
  const context: ProxyContext = {
    identity: {
      current: () => identity.current(),
      onChange: (listener) => identity.onChange(listener),
      async [Symbol.asyncDispose]() {},
    },
    connections: createConnections(),
    logLimit: createLogLimit(systemClock),
    metrics: openIstioMetrics(),
    accessLog: {
      isOn: true,
      write: (line) => void access.push(line),
      async reopen() {},
      dropped: 0,
      async [Symbol.asyncDispose]() {},
    },
    plaintextCallers: createPlaintextCallers(),
    clock: systemClock,
    deadlines: openDeadlines(systemClock, stop.signal),
    log,
    connectTimeoutMs: 5_000,
    detectionTimeoutMs: 500,
    maxConnections: 1_000,
    socketMark: undefined,
    randomBytes,
    traceIds: traceIds(randomBytes),
    ...change,
  }
  return { context, access, lines, [Symbol.dispose]: () => stop.abort() }
}

const noHttp = () => {
  throw new Error('no test of TCP speaks HTTP')
}

const party = strangerParty(undefined)
const address = (text: string) => {
  const parsed = parseAddress(text, 0)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed
}

export function inboundConfig(port: number, change: Partial<InboundConfig> = {}): InboundConfig {
  return {
    name: 'web',
    listen: address('127.0.0.1:0'),
    upstream: address(`127.0.0.1:${port}`),
    protocol: 'tcp',
    mtls: 'policy',
    minVersion: 'TLSv1.3',
    authorize: undefined,
    forwardClientCert: true,
    workloadPort: port,
    ...change,
  }
}

export async function startInbound(
  context: ProxyContext,
  enforcement: Enforcement,
  config: InboundConfig,
  federated: readonly string[] = [],
) {
  const domains = {
    trustDomain: parseTrustDomain('example.org'),
    aliases: [],
    federated: federated.map(parseTrustDomain),
  }
  const authorize = acceptClients(domains, config.authorize)
  const listener = await listenInbound({
    ...{ context, config, enforcement, authorize, self: party },
    locate: fixedWorkload(config, noHttp),
  })
  return { ...listener, port: portOf(listener.address) }
}

export async function startOutbound(
  context: ProxyContext,
  port: number,
  expected: string,
  change: Partial<OutboundConfig> = {},
) {
  const config: OutboundConfig = {
    name: 'orders',
    listen: address('127.0.0.1:0'),
    upstream: address(`127.0.0.1:${port}`),
    protocol: 'tcp',
    minVersion: 'TLSv1.3',
    authorize: [parsePeerPattern(expected)],
    alpn: undefined,
    serverName: undefined,
    service: undefined,
    hbone: undefined,
    ...change,
  }
  const listener = await listenOutbound({
    ...{ context, config, permitAll: allow, self: party, serveHttp: noHttp },
    pool: openHbonePool(context),
  })
  return { ...listener, port: portOf(listener.address) }
}

function portOf(where: ReturnType<typeof address>): number {
  if (where.kind !== 'tcp') throw new Error('not a port')
  return where.port
}

/** A workload; `seen` counts the connections that reached it. */
export async function startBackend(serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  let seen = 0
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    seen += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    port,
    seen: () => seen,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Everything that comes back until the end; what was lost counts as ended. */
export const everything = (socket: Socket): Promise<string> => text(socket).catch(() => '')
