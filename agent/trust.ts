/**
 * How this agent comes to trust its server, for the first time and anew. Wiring only; what is done is in the files that
 * it is from.
 */
import { spkiOf } from '../spiffe/key.ts'
import type { Agent, RunningAgent } from './agent.ts'
import type { AgentConfig } from './config.ts'
import { failureFields } from './failure-fields.ts'
import { findKey, otherKeyId } from './keys/key-store.ts'
import { attestNode } from './node/attest.ts'
import { bootstrapTrust } from './node/bootstrap.ts'
import { configuredAttestor } from './node/configured-attestor.ts'
import { type Membership, openMembership } from './node/membership.ts'
import { type RebootstrapPolicy, settlePolicy } from './node/rebootstrap.ts'
import { awaitRebootstrap, type Rebootstrapped } from './node/rebootstrap-loop.ts'
import { connectServer, type ServerAddress } from './node/server-connection.ts'
import type { ServerTrust } from './node/server-credentials.ts'
import type { NodeStateStore, TrustBegins } from './node/state.ts'

/** Where the server is, and how it is spoken to. */
export function serverOf(config: AgentConfig): ServerAddress {
  const { serverAddress: host, serverPort: port, otherServers: others, requirePqKem } = config
  return { host, port, others, requirePqKem }
}

/** Asks for the bundle that the configuration names. */
export function trustFrom({ config, deps }: Agent): (begins: TrustBegins) => Promise<ServerTrust> {
  const { clock, signal } = deps
  const { bootstrap, trustDomain, serverAddress, serverPort } = config
  return (begins) =>
    bootstrapTrust(bootstrap, {
      ...{ trustDomain, fetch, clock, signal },
      attempt: { ...begins, serverAddress, serverPort, trustDomain },
    })
}

/** What is left of `rebootstrap_mode` for an agent of this kind. @throws IdentityError CONFIG_INVALID */
export function policyFor({ config, deps }: Agent, reattestable: boolean): RebootstrapPolicy {
  const onDisabled = (why: string) => deps.log.warn({ why }, 'Rebootstrapping is turned off')
  return settlePolicy(config.rebootstrap, reattestable, { onDisabled })
}

/** Runs until the agent has something to begin anew with, or the signal aborts. */
export async function rebootstrap(
  open: RunningAgent,
  policy: RebootstrapPolicy,
  signal: AbortSignal,
): Promise<Rebootstrapped | undefined> {
  const { config, deps, metrics, random, distrust } = open
  const { trustDomain } = config
  const { clock } = deps
  const attestor = configuredAttestor(config)
  const log = deps.log.child({ component: 'node' })
  return await awaitRebootstrap(
    {
      ...{ policy, distrust, clock, random, bootstrapTrust: trustFrom(open) },
      async attest(trust, key, stop) {
        using own = connectServer({ ...serverOf(config), trustDomain, trust, clock, random })
        try {
          const lease = own.lease()
          const options = { lease, attestor, key, trustDomain, clock, signal: stop }
          const labels = { attestor: attestor.type }
          const attest = () => attestNode(options)
          return await metrics.measure('node_attestor_new_svid', attest, labels)
        } catch (error) {
          throw own.explain(error)
        }
      },
      onWaiting: (leftMs) =>
        log.warn(
          { time_left_ms: leftMs },
          'No known authority vouches for the server; workloads are served from the cache until it is time to rebootstrap',
        ),
      onBegin: ({ attempts }) => log.warn({ attempts }, 'Rebootstrapping'),
      onFailure: (error) => log.warn(failureFields(error), 'Could not rebootstrap yet'),
    },
    signal,
  )
}

/** Gives up what the agent was: at its next beginning it is what was attested just now. */
export async function beginAnew(
  { disk, keys }: Agent,
  { membership, state }: { readonly membership: Membership; readonly state: NodeStateStore },
  { attested, key }: Rebootstrapped,
): Promise<void> {
  const inUse = findKey(keys, spkiOf(membership.svid().key))
  await keys.put(otherKeyId(inUse?.id), key)
  await openMembership(state, attested)
  await disk.clear() // what the authorities before have signed is worth nothing to anybody
}
