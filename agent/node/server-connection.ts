/**
 * The agent's one connection, to one of the servers, shared by everything that calls it. A new SVID takes over at once:
 * who holds a lease of the old one is told by its signal. A server that does not answer, or says that it cannot, is
 * left for another one if there is any. One connection, not one to each server: what one server told and another does
 * not know yet is then never asked for.
 */
import { lookup } from 'node:dns/promises'
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
import type { Random } from '../../spiffe/random.ts'
import type { AgentSvid } from './agent-svid.ts'
import {
  refusedAt,
  type ServerTls,
  type ServerTrust,
  serverCredentials,
} from './server-credentials.ts'
import {
  type HostPort,
  type LookUp,
  openDirectory,
  peerOf,
  type ServerDirectory,
} from './server-directory.ts'
import { directoryTarget } from './server-resolver.ts'

export interface ServerAddress extends HostPort {
  /** Further servers of the same trust domain. */
  readonly others?: readonly HostPort[] | undefined
  /** Only post-quantum key exchange. */
  readonly requirePqKem?: boolean | undefined
}

export interface ConnectionOptions extends ServerAddress {
  readonly trustDomain: TrustDomain
  readonly trust: ServerTrust
  readonly clock: Clock
  /** Chooses among several servers; without it they are tried as written. */
  readonly random?: Random | undefined
  /** Node's own, with the machine's hosts file, if not given. */
  readonly lookUp?: LookUp | undefined
}

export interface Lease {
  readonly agent: AgentClient
  readonly bundle: BundleClient
  readonly entry: EntryClient
  readonly svid: SVIDClient
  readonly sync: SyncClient
  /** Aborts when this lease has been replaced; calls that have begun may end, streams should begin anew. */
  readonly signal: AbortSignal
  /** Aborts when its server was left because it does not answer: calls that have begun are better made elsewhere. */
  readonly left: AbortSignal
}

export interface ServerConnection extends Disposable {
  lease(): Lease
  /** Begins anew, with this SVID from now on. */
  replace(svid: AgentSvid | undefined): void
  /** The same SVID on a new connection, to another server if there is any, if `lease` is still the current one. */
  renew(lease: Lease): void
  /**
   * Told of a call that failed over `lease`. A server that is away, or says so, is left for another one.
   * @returns whether the same call may have another outcome now, because it would be made over another connection
   */
  leave(lease: Lease, error: unknown): boolean
  /** Whether there is another server to go to. */
  hasOthers(): boolean
  /** Adds to an error of an unreachable server why it could not be reached. */
  explain(error: unknown): unknown
}

/** A server that has been away is found again within this time, and not stormed by all agents at once. */
const MIN_RECONNECT_MS = 200
const MAX_RECONNECT_MS = 3_000
/** SPIRE's page and batch sizes keep messages below 4 MiB; entries with very many selectors may pass that. */
const MAX_MESSAGE_BYTES = 64 << 20

const OPTIONS: ChannelOptions = {
  // One after the other, in the order of the directory; none is waited for longer than a quarter of a second.
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ pick_first: {} }] }),
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': MIN_RECONNECT_MS,
  'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_MS,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
}

interface Held {
  readonly lease: Lease
  /** @param isLeft whether its server is away */
  readonly retire: (isLeft: boolean) => void
}

const lookUpAll: LookUp = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address)

export function connectServer(options: ConnectionOptions, first?: AgentSvid): ServerConnection {
  const { others = [], lookUp = lookUpAll, clock, random } = options
  const servers = [{ host: options.host, port: options.port }, ...others]
  const directory = openDirectory({ servers, lookUp, clock, random })
  let svid = first
  let refusal: { readonly error: IdentityError; readonly peer: string } | undefined
  let peer: string | undefined
  const open = () => {
    refusal = undefined
    peer = undefined
    return openLease({ ...options, svid }, directory, (verdict, by) => {
      refusal = verdict && { error: verdict, peer: by }
      if (verdict === undefined) peer = by
    })
  }
  let held = open()
  const replace = (next: AgentSvid | undefined, isLeft = false) => {
    held.retire(isLeft)
    svid = next
    held = open()
  }
  return {
    lease: () => held.lease,
    replace: (next) => replace(next),
    renew(lease) {
      if (lease !== held.lease) return
      if (peer !== undefined) directory.avoid(peer)
      replace(svid)
    },
    leave(lease, error) {
      if (lease !== held.lease) return true
      const code = error instanceof IdentityError ? error.code : undefined
      const isAway = code === 'UNAVAILABLE' && directory.hasOthers() && peer !== undefined
      // Who does not answer in time may be gone without a word: its connection is of no use, wherever the next leads.
      if (!isAway && code !== 'DEADLINE_EXCEEDED') return false
      if (peer !== undefined) directory.leave(peer)
      replace(svid, true)
      return true
    },
    hasOthers: directory.hasOthers,
    explain(error) {
      const isUnreachable = error instanceof IdentityError && error.code === 'UNAVAILABLE'
      if (!isUnreachable) return error
      if (refusal === undefined) {
        return new IdentityError('UNAVAILABLE', unreachable(servers, peer, error), { cause: error })
      }
      return directory.hasOthers() ? refusedAt(refusal.error, refusal.peer) : refusal.error
    },
    [Symbol.dispose]: () => held.retire(false),
  }
}

function openLease(
  options: ConnectionOptions & Pick<ServerTls, 'svid'>,
  directory: ServerDirectory,
  onVerdict: ServerTls['onVerdict'],
): Held {
  const { target, options: where } = directoryTarget(directory, options)
  const nameOf = (peer: string) => directory.nameOf(peer) ?? options.host
  const credentials = serverCredentials({ ...options, nameOf, onVerdict })
  const retired = new AbortController()
  const left = new AbortController()
  const agent = new (agentApi())(target, credentials, { ...OPTIONS, ...where })
  const shared = { channelOverride: agent.getChannel() }
  const lease: Lease = {
    agent,
    bundle: new (bundleApi())(target, credentials, shared),
    entry: new (entryApi())(target, credentials, shared),
    svid: new (svidApi())(target, credentials, shared),
    sync: new (syncApi())(target, credentials, shared),
    signal: retired.signal,
    left: left.signal,
  }
  const retire = (isLeft: boolean) => {
    if (retired.signal.aborted) return
    retired.abort()
    if (isLeft) left.abort()
    agent.close()
  }
  return { lease, retire }
}

/** Tells servers that were never reached from one that broke off, or said itself that it cannot answer now. */
function unreachable(
  servers: readonly HostPort[],
  peer: string | undefined,
  error: IdentityError,
): string {
  const names = servers.map(peerOf).join(', ')
  const said = reasonOf(error)
  if (!/No connection established|Name resolution failed/.test(said)) {
    const others = servers.length > 1 && peer !== undefined
    return `the server at ${others ? peer : names} gave no answer: ${said}`
  }
  // grpc-js wraps the cause in what it tried.
  const why = said.replace(/^.*Last error: (Error: )?/, '').replace(/\. Resolution note:.*$/, '')
  const whom = servers.length > 1 ? `no server of ${names}` : `the server at ${names}`
  const cannot = servers.length > 1 ? 'can be reached' : 'cannot be reached'
  return `${whom} ${cannot}: ${why}; check server_address and server_port, and that the server runs`
}
