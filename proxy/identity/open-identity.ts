/**
 * Whence the proxy has its identity: the Workload API beside its workload, or the node agent's Delegated Identity API, where it also
 * opens one for each further workload that a listener names.
 */
import type { Log } from '../../log/open-log.ts'
import { parseEndpointAddress } from '../../proto/endpoint-address.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { systemRandom } from '../../spiffe/random.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { ProxyConfig } from '../config.ts'
import { openDelegatedBundles, openDelegatedIdentity } from './delegated-identity.ts'
import type { ProxyIdentity } from './identity.ts'
import { openWorkloadIdentity } from './workload-identity.ts'

export interface Identities extends AsyncDisposable {
  /** Of the proxy's own workload. */
  readonly own: ProxyIdentity
  /** Waits for one. Closed with all others. @throws IdentityError CONFIG_INVALID where the Workload API is asked; CANCELED */
  of(selectors: readonly Selector[]): Promise<ProxyIdentity>
}

export interface IdentitiesOptions {
  readonly config: Pick<ProxyConfig, 'delegated' | 'workloadApi'>
  readonly clock: Clock
  readonly log: Log
  /** Ends the wait for the first answers. */
  readonly signal: AbortSignal
}

/** @throws IdentityError CANCELED when `signal` aborts before there is an identity */
export async function openIdentities(options: IdentitiesOptions): Promise<Identities> {
  const { config, clock, log, signal } = options
  if (config.delegated === undefined) {
    const own = await openWorkloadIdentity({ socket: config.workloadApi, clock, log, signal })
    return {
      own,
      async of() {
        throw new IdentityError('CONFIG_INVALID', 'the Workload API knows one workload only')
      },
      [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
    }
  }
  try {
    return await openDelegated(options, config.delegated)
  } catch (error) {
    throw signal.aborted ? canceled(error) : error
  }
}

async function openDelegated(
  { clock, log, signal }: IdentitiesOptions,
  delegated: NonNullable<ProxyConfig['delegated']>,
): Promise<Identities> {
  const address = parseEndpointAddress(`unix://${delegated.socket}`, 'admin_socket')
  const options = () => ({ address, clock, random: systemRandom, onFailure: reportTo(log) })
  const open: AsyncDisposable[] = []
  const close = async () => {
    for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  }
  const bundles = await openDelegatedBundles(options(), signal)
  open.push(bundles)
  const of = async (selectors: readonly Selector[]): Promise<ProxyIdentity> => {
    const identity = await openDelegatedIdentity(options(), selectors, bundles, signal)
    open.push(identity)
    const { id, expiresAt } = identity.current().defaultSvid
    log.info({ spiffe_id: id, expires_at: expiresAt.toISOString() }, 'Identity obtained')
    return identity
  }
  try {
    const own = await of(delegated.selectors)
    return {
      own,
      async of(selectors) {
        try {
          return await of(selectors)
        } catch (error) {
          throw signal.aborted ? canceled(error) : error
        }
      },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What fails at each attempt in the same words is said once. */
function reportTo(log: Log): (error: IdentityError, retryMs: number | undefined) => void {
  let last = ''
  return ({ code, message }, retryMs) => {
    const level = message === last ? 'debug' : 'warn'
    last = message
    log[level]({ code, reason: message, retry_ms: retryMs }, 'No identity from the agent')
  }
}

function canceled(cause: unknown): IdentityError {
  return new IdentityError('CANCELED', 'stopped before there was an identity', { cause })
}
