/**
 * Agents of both kinds in pods, with tokens that the kubelet projects, attest by k8s_psat to servers of both kinds outside
 * of the cluster; what each server then knows of them is what the cluster says of those pods and their node.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kind, program, type Server, startServer } from '../../processes/cluster.ts'
import { agentConf } from '../../processes/config-text.ts'
import type { Story, StoryContext } from '../story.ts'

const KINDS: readonly Kind[] = ['steeple', 'spire']
const PATIENCE_MS = 90_000

export const story: Story = {
  title: 'agents in pods attest by their projected tokens, ours and SPIRE’s to either server',
  needs: 'cluster',
  async run(context) {
    const namespace = await context.namespace('attest')
    await context.apply({
      ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'agent', namespace } },
    })
    const nodeAttestor = serverPlugin(namespace, context.cluster.kubeconfig)
    for (const kind of KINDS) {
      await using server = await startServer(kind, { nodeAttestor })
      const agents = KINDS.map((agent) => ({ agent, cluster: 'pods' }))
      for (const { agent, cluster } of [
        ...agents,
        { agent: 'steeple' as const, cluster: 'nodes' },
      ]) {
        await attestInPod({ context, namespace, server, agent, cluster })
      }
    }
    return undefined
  },
}

interface Cell {
  readonly context: StoryContext
  readonly namespace: string
  readonly server: Server
  readonly agent: Kind
  /** As the server's configuration has it. */
  readonly cluster: string
}

async function attestInPod({ context, namespace, server, agent, cluster }: Cell): Promise<void> {
  const { mustKubectl, until } = context
  const name = `${agent}-${cluster}-under-${server.kind}`
  const dir = mkdtempSync(join(tmpdir(), 'attest-'))
  try {
    const config = await writeAgentConfig(dir, server, cluster)
    const [command, words] = program(agent, 'agent')
    const run = [command, ...words, 'run', '-config', config].join(' ')
    await context.apply(agentPod({ name, namespace, dir, run }))
    const read = async (kind: string, object: string, path: string) =>
      await mustKubectl(['get', kind, '-n', namespace, object, '-o', `jsonpath={${path}}`])
    const uid = await read('pod', name, '.metadata.uid')
    const node = await until('the pod to have a node', () => read('pod', name, '.spec.nodeName'))
    const nodeUid = await read('node', node, '.metadata.uid')
    const suffix = cluster === 'pods' ? `pod/${uid}` : nodeUid
    const id = `spiffe://${server.trustDomain}/spire/agent/k8s_psat/${cluster}/${suffix}`
    const shown = await until(
      `${name} to be attested`,
      async () => {
        const { stdout } = await server.cli(server.kind, 'agent', 'show', '-spiffeID', id)
        return stdout.includes(`agent_pod_name:${name}`) ? stdout : undefined
      },
      PATIENCE_MS,
    )
    for (const fact of [
      ...[`cluster:${cluster}`, `agent_ns:${namespace}`, 'agent_sa:agent', `agent_pod_uid:${uid}`],
      ...[`agent_node_name:${node}`, `agent_node_uid:${nodeUid}`],
      `agent_node_ip:${await read('pod', name, '.status.hostIP')}`,
      `agent_node_label:kubernetes.io/hostname:${node}`,
      `agent_pod_label:app:${name}`,
    ]) {
      if (shown.includes(`k8s_psat:${fact}`)) continue
      throw new Error(`${name} under ${server.kind} lacks k8s_psat:${fact}:\n${shown}`)
    }
  } catch (error) {
    const { stdout } = await context.kubectl(['logs', '-n', namespace, name, '--tail=20'])
    throw new Error(`${name}: ${stdout}`, { cause: error })
  } finally {
    await mustKubectl(['delete', 'pod', '-n', namespace, name, '--grace-period=1', '--wait'])
    rmSync(dir, { recursive: true, force: true })
  }
}

function serverPlugin(namespace: string, kubeconfig: string): string {
  const cluster = (name: string, more: string) => `"${name}" = {
    service_account_allow_list = ["${namespace}:agent"]
    kube_config_file = "${kubeconfig}"
    allowed_node_label_keys = ["kubernetes.io/hostname"]
    allowed_pod_label_keys = ["app"]
    ${more}
  }`
  return `NodeAttestor "k8s_psat" { plugin_data { clusters = {
    ${cluster('nodes', '')}
    ${cluster('pods', 'use_pod_uid_for_agent_id = true')}
  } } }`
}

/** @returns the path of the file */
async function writeAgentConfig(dir: string, server: Server, cluster: string): Promise<string> {
  for (const name of ['data', 'public', 'private', 'token']) mkdirSync(join(dir, name))
  const path = join(dir, 'agent.conf')
  const block = `NodeAttestor "k8s_psat" {
    plugin_data { cluster = "${cluster}" token_path = "${dir}/token/agent" }
  }`
  writeFileSync(
    path,
    agentConf({
      ...{ dir, server, bundle: await server.bundleFile() },
      socket: join(dir, 'public', 'api.sock'),
      adminSocket: join(dir, 'private', 'admin.sock'),
      options: { nodeAttestor: { block, id: '' } },
    }),
  )
  return path
}

/** A program of the host within a pod: its token, its cgroup, and the host's files and network. */
function agentPod(pod: {
  readonly name: string
  readonly namespace: string
  readonly dir: string
  readonly run: string
}): object {
  const { name, namespace, dir, run } = pod
  const token = { path: 'agent', audience: 'spire-server', expirationSeconds: 600 }
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app: name } } },
    spec: {
      ...{ serviceAccountName: 'agent', hostNetwork: true, hostPID: true, restartPolicy: 'Never' },
      containers: [
        {
          ...{ name: 'agent', image: 'localhost/workload:1', imagePullPolicy: 'Never' },
          command: ['chroot', '/host', '/bin/sh', '-c', `exec ${run}`],
          securityContext: { privileged: true },
          volumeMounts: [
            { name: 'host', mountPath: '/host' },
            { name: 'token', mountPath: `/host${dir}/token` },
          ],
        },
      ],
      volumes: [
        { name: 'host', hostPath: { path: '/' } },
        { name: 'token', projected: { sources: [{ serviceAccountToken: token }] } },
      ],
    },
  }
}
