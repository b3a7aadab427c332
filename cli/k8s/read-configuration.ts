/** The configuration that server and agents run with, read as they read it, out of the ConfigMaps that hold it. */
import { type AgentConfig, readAgentConfig } from '../../agent/config.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { listObjects } from '../../kubernetes/list-objects.ts'
import { listAt, recordAt, textAt } from '../../kubernetes/object.ts'
import { readServerConfig, type ServerConfig } from '../../server/config.ts'
import { GROUP_PATH } from '../../server/controller/cluster-copies.ts'
import { parseParentIdTemplate } from '../../server/controller/render-entry.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { PublishedBundle } from './examine-bundle.ts'
import { configPathOf, type Installation, type Workload } from './installation.ts'
import { containersOf, volumeSource } from './volume-source.ts'

export interface Configuration {
  readonly server: ServerConfig
  readonly agent: AgentConfig
}

/** @throws IdentityError NOT_FOUND when it is in no ConfigMap, CONFIG_INVALID with every mistake in it */
export async function readConfiguration(
  cluster: Cluster,
  { server, agents }: Installation,
): Promise<Configuration> {
  // What the chart starts servers with that have a database of their own: $$ is a dollar sign then.
  const expandEnv = argsOf(server).includes('-expandEnv')
  return {
    server: readServerConfig({ ...(await source(cluster, server)), flags: { expandEnv } }),
    agent: readAgentConfig({ ...(await source(cluster, agents)), flags: {} }),
  }
}

async function source(cluster: Cluster, workload: Workload) {
  const { kind, namespace, name, podSpec, container } = workload
  const path = configPathOf(workload)
  const place = path === undefined ? undefined : volumeSource(podSpec, container, path)
  if (path === undefined || place?.kind !== 'configMap') {
    const why = path === undefined ? 'it has no -config' : `${path} is not of a ConfigMap`
    throw new IdentityError(
      'NOT_FOUND',
      `cannot read the configuration of ${kind} ${namespace}/${name}: ${why}`,
    )
  }
  const configMap = await readConfigMap(cluster, namespace, place.name)
  const text = configMap[place.key]
  if (text === undefined) {
    throw new IdentityError(
      'NOT_FOUND',
      `ConfigMap ${namespace}/${place.name} has no key ${place.key}, which is the configuration of ${kind} ${name}`,
    )
  }
  return { path, text, env: environmentOf(workload), readText: refuseToRead }
}

/** @throws IdentityError NOT_FOUND */
async function readConfigMap(
  cluster: Cluster,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`
  const data = recordAt(await cluster.request({ method: 'GET', path }), 'data')
  return Object.fromEntries(
    Object.entries(data).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}

function containerOf({ podSpec, container }: Workload): unknown {
  return containersOf(podSpec).find((one) => textAt(one, 'name') === container)
}

const argsOf = (workload: Workload) => listAt(containerOf(workload), 'args')

/** Secrets are not read; the chart has one for the connection string alone, in place of which this fits. */
const UNREAD_SECRET = 'host=unread user=unread'

/** What is written in the spec; what comes from elsewhere, such as the node's name, stands for itself. */
function environmentOf(workload: Workload): Readonly<Record<string, string>> {
  return Object.fromEntries(
    listAt(containerOf(workload), 'env').map((one) => {
      const name = textAt(one, 'name') ?? ''
      const isSecret = recordAt(one, 'valueFrom').secretKeyRef !== undefined
      return [name, textAt(one, 'value') ?? (isSecret ? UNREAD_SECRET : `<${name}>`)]
    }),
  )
}

function refuseToRead(path: string): never {
  throw new IdentityError('NOT_FOUND', `${path} is in the container and cannot be read from here`)
}

/** Of the IDs of the agents of this cluster, up to the UID of the node. @throws IdentityError NOT_IMPLEMENTED */
export function agentPrefixOf({ agent }: Configuration): string {
  if (agent.nodeAttestor.kind !== 'k8s_psat') {
    const why = `agents attest by ${agent.nodeAttestor.kind}, which names no nodes of a cluster`
    throw new IdentityError('NOT_IMPLEMENTED', why)
  }
  return `spiffe://${agent.trustDomain}/spire/agent/k8s_psat/${agent.nodeAttestor.cluster}/`
}

/** What the controller of the server goes by. @throws IdentityError NOT_IMPLEMENTED when it has none */
export async function readRegistration(cluster: Cluster, { server }: Configuration) {
  const { controller, trustDomain } = server
  if (controller === undefined) {
    const why = 'the server registers nothing by itself: it has no controller_manager'
    throw new IdentityError('NOT_IMPLEMENTED', why)
  }
  const { clusterName, clusterDomain, className, watchesClassless } = controller
  return {
    settings: {
      ...{ trustDomain, clusterName, clusterDomain },
      parentIdTemplate: parseParentIdTemplate(controller.parentIdTemplate),
    },
    classes: { className, watchesClassless },
    ignoredNamespaces: controller.ignoredNamespaces.map((pattern) => new RegExp(pattern)),
    clusterSpiffeIds: await listObjects(cluster, `${GROUP_PATH}/clusterspiffeids`),
    namespaces: await listObjects(cluster, '/api/v1/namespaces'),
  }
}

/** The bundle that agents begin with. @throws IdentityError NOT_IMPLEMENTED when it comes from elsewhere than a ConfigMap */
export async function readPublished(
  cluster: Cluster,
  { podSpec, container, namespace }: Workload,
  { agent }: Configuration,
): Promise<PublishedBundle> {
  if (agent.bootstrap.kind !== 'file') {
    const why = `agents begin with a bundle by ${agent.bootstrap.kind}, not with one of the cluster`
    throw new IdentityError('NOT_IMPLEMENTED', why)
  }
  const place = volumeSource(podSpec, container, agent.bootstrap.path)
  if (place.kind !== 'configMap') {
    const why = `agents begin with the bundle in ${agent.bootstrap.path}, which is of no ConfigMap`
    throw new IdentityError('NOT_IMPLEMENTED', why)
  }
  const { name: configMap, key } = place
  const texts = await readConfigMap(cluster, namespace, configMap).catch((error: unknown) => {
    const isAbsent = error instanceof IdentityError && error.code === 'NOT_FOUND'
    if (isAbsent) return undefined
    throw error
  })
  return { namespace, configMap, key, text: texts?.[key] }
}
