/**
 * The agent's one connection to the server, shared by everything that calls it. A new SVID takes over at once: who
 * holds a lease of the old one is told by its signal. A connection that does not answer is replaced.
 */
import type { ChannelOptions } from '@grpc/grpc-js'
import type { AgentClient } from '../../proto/gen/spire/api/server/agent/v1/Agent.ts'
import type { BundleClient } from '../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { EntryClient } from '../../proto/gen/spire/api/server/entry/v1/Entry.ts'
import type { SVIDClient } from '../../proto/gen/spire/api/server/svid/v1/SVID.ts'
import type { SyncClient } from '../../proto/gen/steeple/server/sync/v1/Sync.ts'
import { agentApi, bundleApi, entryApi, svidApi, syncApi } from '../../proto/load.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { AgentSvid } from './agent-svid.ts'
import { type ServerTls, type ServerTrust, serverCredentials } from './server-credentials.ts'

export interface ServerAddress {
  readonly host: string
  readonly port: number
  /** Only post-quantum key exchange. */
  readonly requirePqKem?: boolean | undefined
}

export interface ConnectionOptions extends ServerAddress {
  readonly trustDomain: TrustDomain
  readonly trust: ServerTrust
  readonly clock: Clock
}

export interface Lease {
  readonly agent: AgentClient
  readonly bundle: BundleClient
  readonly entry: EntryClient
  readonly svid: SVIDClient
  readonly sync: SyncClient
  /** Aborts when this lease has been replaced; calls that have begun may end, streams should begin anew. */
  readonly signal: AbortSignal
}

export interface ServerConnection extends Disposable {
  lease(): Lease
  /** Begins anew, with this SVID from now on. */
  replace(svid: AgentSvid | undefined): void
  /** The same SVID on a new connection, if `lease` is still the current one. */
  renew(lease: Lease): void
  /** Adds to an error of an unreachable server why it could not be reached. */
  explain(error: unknown): unknown
}

/** A server that has been away is found again within this time, and not stormed by all agents at once. */
const MIN_RECONNECT_MS = 200
const MAX_RECONNECT_MS = 3_000
/** SPIRE's page and batch sizes keep messages below 4 MiB; entries with very many selectors may pass that. */
const MAX_MESSAGE_BYTES = 64 << 20

const OPTIONS: ChannelOptions = {
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': MIN_RECONNECT_MS,
  'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_MS,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
}

interface Held {
  readonly lease: Lease
  readonly retire: () => void
}

export function connectServer(options: ConnectionOptions, first?: AgentSvid): ServerConnection {
  let svid = first
  let refusal: IdentityError | undefined
  const open = () => {
    refusal = undefined
    return openLease(options, svid, (verdict) => {
      refusal = verdict
    })
  }
  let held = open()
  const replace = (next: AgentSvid | undefined) => {
    held.retire()
    svid = next
    held = open()
  }
  return {
    lease: () => held.lease,
    replace,
    renew(lease) {
      if (lease === held.lease) replace(svid)
    },
    explain(error) {
      const isUnreachable = error instanceof IdentityError && error.code === 'UNAVAILABLE'
      if (!isUnreachable) return error
      if (refusal !== undefined) return refusal
      return new IdentityError('UNAVAILABLE', unreachable(options, error), { cause: error })
    },
    [Symbol.dispose]: () => held.retire(),
  }
}

function openLease(
  options: ConnectionOptions,
  svid: AgentSvid | undefined,
  onVerdict: ServerTls['onVerdict'],
): Held {
  const target = `dns:///${authorityOf(options)}`
  const credentials = serverCredentials({ ...options, svid, onVerdict })
  const retired = new AbortController()
  const agent = new (agentApi())(target, credentials, OPTIONS)
  const shared = { channelOverride: agent.getChannel() }
  const lease: Lease = {
    agent,
    bundle: new (bundleApi())(target, credentials, shared),
    entry: new (entryApi())(target, credentials, shared),
    svid: new (svidApi())(target, credentials, shared),
    sync: new (syncApi())(target, credentials, shared),
    signal: retired.signal,
  }
  const retire = () => {
    if (retired.signal.aborted) return
    retired.abort()
    agent.close()
  }
  return { lease, retire }
}

function authorityOf({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Tells a server that was never reached from one that broke off, or said itself that it cannot answer now. */
function unreachable(address: ServerAddress, error: IdentityError): string {
  const server = `the server at ${authorityOf(address)}`
  const said = reasonOf(error)
  if (!/No connection established|Name resolution failed/.test(said)) {
    return `${server} gave no answer: ${said}`
  }
  // grpc-js wraps the cause in what it tried.
  const why = said.replace(/^.*Last error: (Error: )?/, '').replace(/\. Resolution note:.*$/, '')
  return `${server} cannot be reached: ${why}; check server_address and server_port, and that the server runs`
}
