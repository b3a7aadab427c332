/** What a configuration asks for is opened, or refused before anybody calls. */
import { expect, test } from 'vitest'
import { configuredAttestors } from '../../../agent/attest/configured-attestors.ts'
import { type AgentConfig, readAgentConfig } from '../../../agent/config.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

function configs(plugins: string): AgentConfig['workloadAttestors'] {
  const text = `agent { trust_domain = "example.org" server_address = "server" server_port = 8081
insecure_bootstrap = true }
plugins { KeyManager "memory" { } NodeAttestor "join_token" { } ${plugins} }`
  const readText = (): never => expect.fail('nothing else is read')
  const env = { MY_NODE_NAME: 'node1' }
  return readAgentConfig({ path: 'agent.conf', text, flags: {}, env, readText }).workloadAttestors
}

const open = (plugins: string) => {
  const { log } = memoryLog()
  const deps = { clock: systemClock, random: () => 0.5, log, ownUid: 0 }
  return configuredAttestors(configs(plugins), deps)
}

test('opens each attestor, and lets go of what it has open at the end', async () => {
  const attestors = await open(`WorkloadAttestor "unix" { }
WorkloadAttestor "docker" { }
WorkloadAttestor "systemd" { }
WorkloadAttestor "k8s" { plugin_data { kubelet_read_only_port = 10255 } }`)
  expect(attestors.map(({ type }) => type)).toEqual(['unix', 'docker', 'systemd', 'k8s'])
  const stop = new AbortController()
  const following = attestors.map(({ follow }) => follow?.(stop.signal))
  stop.abort()
  await Promise.all(following)
})

test.for([
  ['a token of the kubelet', 'skip_kubelet_verification = true token_path = "/nowhere/token"'],
  ['a CA of the kubelet', 'kubelet_ca_path = "/nowhere/ca"'],
  ['a kubeconfig', 'pod_source = "api_server" kubeconfig = "/nowhere/kubeconfig"'],
  [
    'a kubeconfig for namespaces',
    'kubelet_read_only_port = 1 enable_namespace_labels = true kubeconfig = "/nowhere/kubeconfig"',
  ],
] as const)('refuses at once %s that cannot be read', async ([, data]) => {
  const plugin = `WorkloadAttestor "k8s" { plugin_data { ${data} } }`
  await expect(open(plugin)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/\/nowhere\//),
  })
})
