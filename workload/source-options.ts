/** What both sources are opened with, and what holds where an option is left out. */
import type { EndpointAddress } from '../proto/endpoint-address.ts'
import { type Clock, systemClock } from '../spiffe/clock.ts'
import type { IdentityError } from '../spiffe/error.ts'
import { type Random, systemRandom } from '../spiffe/random.ts'
import { readEndpointAddress } from './endpoint-address.ts'
import type { OnFailure } from './follow.ts'

export interface SourceOptions {
  /** `unix:///absolute/path` or `tcp://ip:port`; default: the environment's SPIFFE_ENDPOINT_SOCKET. */
  readonly socket?: string
  /** Closes the source, also while it is being opened. */
  readonly signal?: AbortSignal
  /** Told of every failure, each of which is repeated after `retryMs`. Default: a process warning, once for each text. */
  readonly onFailure?: OnFailure
  readonly clock?: Clock
  readonly random?: Random
}

export interface SourceSettings {
  readonly address: EndpointAddress
  readonly onFailure: OnFailure
  readonly clock: Clock
  readonly random: Random
}

/** @throws IdentityError CONFIG_INVALID */
export function settingsOf(options: SourceOptions): SourceSettings {
  const address = readEndpointAddress(options.socket, process.env)
  return {
    address,
    onFailure: options.onFailure ?? warnOnce(address),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  }
}

function warnOnce(address: EndpointAddress): OnFailure {
  let last: string | undefined
  return ({ code, message }: IdentityError, retryMs) => {
    if (message === last) return
    last = message
    const then = retryMs === undefined ? 'giving up' : 'trying again'
    process.emitWarning(`Workload API at ${address}: ${message}; ${then}`, { code })
  }
}
