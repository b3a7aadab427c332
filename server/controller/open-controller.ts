/** Registration from Kubernetes as a part of the server process: the cluster, the lease, and the loop that leads. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { clusterIdentity } from '../../kubernetes/cluster-identity.ts'
import { holdLease, type Leadership } from '../../kubernetes/lease.ts'
import { SERVICE_ACCOUNT_DIRECTORY } from '../../kubernetes/service-account.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { Turn } from '../store/turns.ts'
import type { ControllerConfig, LeaderElectionConfig } from './controller-config.ts'
import { type ControllerDeps, runController } from './run-controller.ts'

const POD_NAMESPACE = `${SERVICE_ACCOUNT_DIRECTORY}/namespace`
const RETRY_MS = 5_000

/** @throws IdentityError CONFIG_INVALID when the lease has no namespace */
export async function openController(
  config: ControllerConfig,
  deps: ControllerDeps,
): Promise<Loop> {
  const lead = leading(config, deps)
  const { leaderElection } = config
  if (leaderElection === undefined) {
    // Without a lease, servers of one store still do not register beside each other.
    const { turns } = deps.store
    const cluster = turns.isShared ? await clusterIdentity(config.kubeconfig) : ''
    const turn = `register ${config.clusterName} ${cluster}`.trimEnd()
    const inTurn = ({ signal, mustHold }: Turn) => lead({ signal, mustLead: mustHold })
    return (signal) => turns.hold(turn, inTurn, signal)
  }
  const settings = {
    namespace: leaderElection.namespace ?? (await podNamespace()),
    name: leaderElection.leaseName,
    identity: `${hostname()}_${deps.randomUuid()}`,
    ...times(leaderElection),
  }
  return (signal) => holdLease(settings, deps, lead, signal)
}

/** A failure of its own must not end the server, which serves agents meanwhile: it begins again. */
function leading(config: ControllerConfig, deps: ControllerDeps) {
  const { clock, log } = deps
  return async (leadership: Leadership): Promise<void> => {
    while (!leadership.signal.aborted) {
      try {
        await runController(config, deps, leadership)
      } catch (err) {
        if (leadership.signal.aborted) return
        log.error({ err }, 'Registration of workloads failed; beginning again')
        await clock.sleep(RETRY_MS, leadership.signal)
      }
    }
  }
}

function times({ durationMs, renewDeadlineMs, retryMs }: LeaderElectionConfig) {
  return { durationMs, renewDeadlineMs, retryMs }
}

async function podNamespace(): Promise<string> {
  try {
    return (await readFile(POD_NAMESPACE, 'utf8')).trim()
  } catch (error) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `controller_manager.leader_election has no resource_namespace, and the server runs in no pod (${POD_NAMESPACE} cannot be read); set it, or leader_elect = false for a single server`,
      { cause: error },
    )
  }
}
