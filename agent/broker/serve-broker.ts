/**
 * Serves the SPIFFE Broker API, and reflection to those on the Unix socket alone. A connection is that of a configured broker or
 * is none; every call carries the header of the API, so that no browser or proxy can be tricked into making one.
 *
 * @see SPIRE API §1 — agent broker endpoint; Broker-Endpoint §4
 */
import { Server } from '@grpc/grpc-js'
import type { APIHandlers } from '../../proto/gen/spiffe/broker/API.ts'
import { brokerApi, definitionsOf } from '../../proto/load.ts'
import { addReflection } from '../../proto/reflection/reflection-service.ts'
import { addService, type Call, type Endpoint } from '../../proto/serve.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { BROKER_HEADER, requireSecurityHeader } from '../workload-api/security-header.ts'
import { allowTypes } from './allow-type.ts'
import type { BrokerPeer } from './broker-peer.ts'
import { type BrokerServiceDeps, brokerService } from './broker-service.ts'
import { limitCalls } from './call-limit.ts'
import { type BrokerListenerOptions, listenBroker } from './listen-broker.ts'
import { reportBrokerRefusal } from './report-refusal.ts'

export interface ServeBrokerOptions
  extends Omit<BrokerServiceDeps, 'requireType' | 'admit'>,
    Omit<BrokerListenerOptions, 'server' | 'brokers'> {
  readonly observe?: Endpoint<BrokerPeer>['observe']
}

export interface BrokerEndpoint extends AsyncDisposable {
  /** The TCP port that was bound; undefined without one. */
  readonly port: number | undefined
}

/**
 * A broker has a stream or two for each workload of its node. No bytes are counted as at the sockets that every process may open: who
 * gets to make a call has shown the certificate of a configured broker, and such a one is trusted with the keys of whom it may name.
 */
const MAX_CALLS = { perBroker: 8_192, total: 16_384 } as const
/** A reference, audiences and a SPIFFE ID. */
const MAX_REQUEST_BYTES = 256 * 1024
/** One more than a broker may have, so that it is told why. */
const MAX_STREAMS_PER_CONNECTION = MAX_CALLS.perBroker + 1

/** Disposing cuts every call, for streams are opened again. @throws IdentityError CONFIG_INVALID */
export async function serveBroker(options: ServeBrokerOptions): Promise<BrokerEndpoint> {
  const { settings, log } = options
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
  })
  const brokers = new Set(settings.brokers.map(({ id }) => id))
  const listener = await listenBroker({ ...options, server, brokers })
  const admit = limitCalls<SpiffeId>(MAX_CALLS)
  const endpoint = (authorize: Endpoint<BrokerPeer>['authorize']): Endpoint<BrokerPeer> => ({
    ...{ server, callerOf: listener.callerOf, authorize },
    onFailure: (failure) => reportBrokerRefusal(log, failure),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  })
  addService<BrokerPeer, APIHandlers>(
    endpoint(async ({ metadata }) => requireSecurityHeader(metadata, BROKER_HEADER)),
    brokerApi().service,
    brokerService({ ...options, requireType: allowTypes(settings.brokers), admit }),
  )
  addReflection<BrokerPeer>({
    endpoint: endpoint(async (call) => requireUnix(call)),
    definitions: [definitionsOf('broker')],
    admit: ({ caller }) => admit(caller.id),
  })
  return {
    port: listener.port,
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      server.forceShutdown()
    },
  }
}

function requireUnix({ caller, metadata }: Call<BrokerPeer>): void {
  if (caller.transport !== 'unix') {
    const why = 'server reflection is only available over Unix sockets'
    throw new IdentityError('NOT_AUTHORIZED', why)
  }
  requireSecurityHeader(metadata, BROKER_HEADER)
}
