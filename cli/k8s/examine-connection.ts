/** Whether agents find the server, and each takes the other for what it is: address, cluster, service account, audience. */
import type { NodeAttestorConfig as OfAgent } from '../../agent/config.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { listObjects } from '../../kubernetes/list-objects.ts'
import { listAt, recordAt } from '../../kubernetes/object.ts'
import type { NodeAttestorConfig as OfServer } from '../../server/config.ts'
import type { Examined, Finding } from './check.ts'
import type { Installation, Workload } from './installation.ts'
import type { Configuration } from './read-configuration.ts'
import { volumeSource } from './volume-source.ts'

export async function examineConnection(
  cluster: Cluster,
  { agents, server }: Installation,
  configuration: Configuration,
): Promise<Examined> {
  const { serverAddress, serverPort, otherServers } = configuration.agent
  const servers = [{ host: serverAddress, port: serverPort }, ...otherServers]
  const address = servers.map(({ host, port }) => `${host}:${port}`).join(', ')
  const findings = [
    ...examineAttestation(agents, configuration),
    ...(
      await Promise.all(
        servers.map(({ host }) => examineAddress(cluster, host, server.namespace, agents)),
      )
    ).flat(),
  ]
  if (configuration.agent.trustDomain !== configuration.server.trustDomain) {
    findings.push({
      ...ofAgents(agents),
      problem: `agents are of trust domain ${configuration.agent.trustDomain}, the server of ${configuration.server.trustDomain}`,
      remedy: 'give both the same trust_domain',
    })
  }
  return { seen: `agents connect to ${address}`, findings }
}

const ofAgents = ({ kind, namespace, name }: Workload) => ({
  severity: 'problem' as const,
  subject: `${kind} ${namespace}/${name}`,
})

/** `<service>.<namespace>.svc…`: a Service with somebody behind it. Other addresses are not looked at. */
async function examineAddress(
  cluster: Cluster,
  address: string,
  own: string,
  agents: Workload,
): Promise<readonly Finding[]> {
  const [, service = '', namespace = own] =
    /^([a-z0-9-]+)(?:\.([a-z0-9-]+)\.svc(?:\..*)?)?$/.exec(address) ?? []
  if (service === '') return []
  const slices = await listObjects(
    cluster,
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    { labelSelector: `kubernetes.io/service-name=${service}` },
  )
  const ready = slices
    .flatMap((slice) => listAt(slice, 'endpoints'))
    .filter((endpoint) => recordAt(endpoint, 'conditions').ready !== false)
  if (ready.length > 0) return []
  const problem = `agents connect to Service ${namespace}/${service}, behind which nobody is ready`
  const remedy = `kubectl get -n ${namespace} service,endpointslices`
  return [{ ...ofAgents(agents), problem, remedy }]
}

type Psat<T> = Extract<T, { readonly kind: 'k8s_psat' }>

function examineAttestation(agents: Workload, { agent, server }: Configuration): Finding[] {
  const by: OfAgent = agent.nodeAttestor
  if (by.kind !== 'k8s_psat') return []
  const isPsat = (one: OfServer): one is Psat<OfServer> => one.kind === 'k8s_psat'
  const known = server.nodeAttestors.find(isPsat)?.clusters ?? []
  const cluster = known.find(({ name }) => name === by.cluster)
  const finding = (problem: string, remedy: string): Finding => ({
    ...ofAgents(agents),
    ...{ problem, remedy },
  })
  if (cluster === undefined) {
    const names = known.map(({ name }) => name).join(', ') || 'none'
    const problem = `agents say that they are of cluster ${by.cluster}, and the server knows ${names}`
    return [finding(problem, 'give k8s_psat of both the same name of the cluster')]
  }
  const findings: Finding[] = []
  const account = `${agents.namespace}:${agents.serviceAccount}`
  if (!cluster.serviceAccounts.includes(account)) {
    const problem = `agents run as ${account}, and the server takes agents of ${cluster.serviceAccounts.join(', ') || 'nobody'}`
    findings.push(finding(problem, 'put it on service_account_allow_list of the server'))
  }
  const token = volumeSource(agents.podSpec, agents.container, by.tokenPath)
  if (token.kind !== 'token') {
    const problem = `${by.tokenPath} is no projected service account token`
    findings.push(finding(problem, 'project one there: serviceAccountToken, with an audience'))
  } else if (cluster.audiences.length > 0 && !cluster.audiences.includes(token.audience)) {
    const problem = `the token of agents is for ${token.audience || 'the API server'}, and the server takes those for ${cluster.audiences.join(', ')}`
    findings.push(finding(problem, 'give both the same audience'))
  }
  return findings
}
