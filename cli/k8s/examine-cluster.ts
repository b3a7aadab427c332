/** Looks at everything in a cluster that has to be right for pods to get identities, one check after the other. */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { listObjects } from '../../kubernetes/list-objects.ts'
import type { RunInPod } from '../../kubernetes/run-in-pod.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type ServerInPod, serverInPod } from './ask-server.ts'
import { type Check, check, type Examined } from './check.ts'
import { examineBundle } from './examine-bundle.ts'
import { examineClocks, readClusterTime, readRenewals } from './examine-clocks.ts'
import { examineConnection } from './examine-connection.ts'
import { examineIdentities } from './examine-identities.ts'
import { examineKubelets } from './examine-kubelets.ts'
import { examineNodes, readNode } from './examine-nodes.ts'
import { examinePermissions } from './examine-permissions.ts'
import { examineSockets, socketOnNode } from './examine-sockets.ts'
import { examinePods, type PodState, readPodsOf } from './examine-workloads.ts'
import { findInstallation, type Installation } from './installation.ts'
import {
  agentPrefixOf,
  type Configuration,
  readConfiguration,
  readPublished,
  readRegistration,
} from './read-configuration.ts'

export interface DoctorDeps {
  readonly cluster: Cluster
  readonly run: RunInPod
  readonly clock: Clock
  /** Undefined: wherever the chart is. */
  readonly namespace: string | undefined
}

/** What several checks look at. What could not be read throws when it is asked for, in each of them. */
interface Scene extends Installation {
  readonly deps: DoctorDeps
  readonly now: Date
  readonly serverPods: readonly PodState[]
  readonly agentPods: readonly PodState[]
  configuration(): Configuration
  nodes(): readonly unknown[]
  pods(): readonly unknown[]
  /** @throws IdentityError when no server is ready to answer */
  asked(): ServerInPod
}

const CHECKS: Readonly<Record<string, (scene: Scene) => Promise<Examined>>> = {
  configuration: async ({ configuration }) => examineConfiguration(configuration),
  server: async ({ server, serverPods }) => examinePods(server, serverPods),
  agents: async ({ agents, agentPods }) => examinePods(agents, agentPods),
  permissions: async (scene) =>
    await examinePermissions(scene.deps.cluster, scene, readable(scene)),
  connection: async (scene) => await examineConnection(scene.deps.cluster, scene, readable(scene)),
  'trust bundle': async (scene) => {
    const published = await readPublished(scene.deps.cluster, scene.agents, readable(scene))
    const current = await scene.asked().authorities()
    return examineBundle(published, current, scene.server, scene.now)
  },
  clocks: async ({ deps: { cluster, clock }, server }) => {
    const time = await readClusterTime(cluster, server.namespace)
    return examineClocks(time, clock.now(), await readRenewals(cluster))
  },
  kubelets: async (scene) => {
    const { adminSocketPath } = readable(scene).agent
    const { deps, agents, agentPods } = scene
    return await examineKubelets(deps.run, agents, adminSocketPath, agentPods, scene.nodes())
  },
  nodes: async (scene) => {
    const nodes = scene.nodes().flatMap(readNode)
    const prefix = agentPrefixOf(readable(scene))
    const known = await scene.asked().agents()
    return examineNodes(nodes, known, prefix, scene.agentPods, scene.now)
  },
  identities: async (scene) => {
    const registration = await readRegistration(scene.deps.cluster, readable(scene))
    const { now } = scene
    const [pods, nodes] = [scene.pods(), scene.nodes()]
    const agents = await scene.asked().agents()
    const entryKeys = await scene.asked().entryKeys()
    const socket = socketOnNode(scene.agents, readable(scene).agent.socketPath)
    return examineIdentities({ ...registration, pods, nodes, now, agents, entryKeys, socket })
  },
  sockets: async (scene) =>
    examineSockets(scene.agents, readable(scene).agent.socketPath, scene.pods()),
}

/** @throws IdentityError when Steeple is not found in the cluster, or the cluster does not answer */
export async function examineCluster(deps: DoctorDeps): Promise<readonly Check[]> {
  const scene = await openScene(deps)
  const checks: Check[] = []
  for (const [name, examine] of Object.entries(CHECKS)) {
    checks.push(await check(name, () => examine(scene)))
  }
  return checks
}

async function openScene(deps: DoctorDeps): Promise<Scene> {
  const { cluster, run, clock, namespace } = deps
  const installation = await findInstallation(cluster, namespace)
  const serverPods = await readPodsOf(cluster, installation.server)
  return {
    ...{ ...installation, deps, now: clock.now(), serverPods },
    agentPods: await readPodsOf(cluster, installation.agents),
    configuration: await attempted(() => readConfiguration(cluster, installation)),
    nodes: await attempted(() => listObjects(cluster, '/api/v1/nodes')),
    pods: await attempted(() => listObjects(cluster, '/api/v1/pods')),
    asked() {
      const pod = serverPods.find(({ isReady }) => isReady)
      if (pod === undefined) throw new IdentityError('UNAVAILABLE', 'no pod of the server is ready')
      return serverInPod(run, installation.server, pod.name)
    },
  }
}

/** What fails now fails where it is asked for. */
async function attempted<T>(attempt: () => Promise<T>): Promise<() => T> {
  try {
    const value = await attempt()
    return () => value
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return () => {
      throw error
    }
  }
}

/** A mistake in a configuration is told once. */
function readable({ configuration }: Scene): Configuration {
  try {
    return configuration()
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'CONFIG_INVALID') throw error
    throw new IdentityError('CONFIG_INVALID', 'the configuration has mistakes', { cause: error })
  }
}

function examineConfiguration(configuration: () => Configuration): Examined {
  try {
    configuration()
    return { seen: 'of server and agents can be read', findings: [] }
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'CONFIG_INVALID') throw error
    const remedy = 'correct it, or use the steeple command of the version that runs in the cluster'
    const [subject, problem] = ['configuration', error.message]
    return { seen: '', findings: [{ severity: 'problem', subject, problem, remedy }] }
  }
}
