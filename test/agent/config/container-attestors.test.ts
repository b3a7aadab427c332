/** agent.conf: the workload attestors k8s, docker and systemd. */
import { expect, test } from 'vitest'
import { readAgentConfig } from '../../../agent/config.ts'
import { refusalOf } from '../../config/trees.ts'

function read(attestor: string, env: Readonly<Record<string, string>> = {}) {
  const text = `agent {
trust_domain = "example.org"
server_address = "server"
server_port = 8081
insecure_bootstrap = true
}
plugins {
KeyManager "memory" { }
NodeAttestor "join_token" { }
WorkloadAttestor ${attestor}
}`
  const readText = (): never => {
    throw new Error('nothing else is read')
  }
  return readAgentConfig({ path: 'agent.conf', text, flags: {}, env, readText })
}

const attestorOf = (...args: Parameters<typeof read>) => read(...args).workloadAttestors[0]
const k8s = (data: string) => `"k8s" { plugin_data {\n${data}\n} }`
const docker = (data: string) => `"docker" { plugin_data {\n${data}\n} }`

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const secure = {
  kind: 'secure',
  port: 10_250,
  nodeName: undefined,
  caPath: `${ACCOUNT}/ca.crt`,
  credentials: { kind: 'token', path: `${ACCOUNT}/token` },
  reloadIntervalMs: 60_000,
}

test('k8s without keys asks the kubelet as SPIRE does', () => {
  expect(attestorOf('"k8s" { }')).toEqual({
    kind: 'k8s',
    podSource: { kind: 'kubelet', kubelet: secure },
    kubeconfig: undefined,
    enableNamespaceLabels: false,
    maxPollAttempts: 60,
    pollRetryIntervalMs: 500,
    disableContainerSelectors: false,
    usesLegacyLocator: false,
    isVerbose: false,
  })
})

test.for([
  ['the read-only port', 'kubelet_read_only_port = 10255', { kind: 'read-only', port: 10_255 }],
  ['another secure port', 'kubelet_secure_port = 10251', { ...secure, port: 10_251 }],
  ['a node name', 'node_name = "node1"', { ...secure, nodeName: 'node1' }],
  ['another CA', 'kubelet_ca_path = "/ca"', { ...secure, caPath: '/ca' }],
  ['no verification', 'skip_kubelet_verification = true', { ...secure, caPath: undefined }],
  ['a token', 'token_path = "/t"', { ...secure, credentials: { kind: 'token', path: '/t' } }],
  [
    'nobody',
    'use_anonymous_authentication = true',
    { ...secure, credentials: { kind: 'anonymous' } },
  ],
  [
    'a certificate',
    'certificate_path = "/c"\nprivate_key_path = "/k"',
    { ...secure, credentials: { kind: 'certificate', certificatePath: '/c', keyPath: '/k' } },
  ],
  ['a reload interval', 'reload_interval = "5s"', { ...secure, reloadIntervalMs: 5000 }],
] as const)('k8s asks the kubelet with %s', ([, data, kubelet]) => {
  expect(attestorOf(k8s(data))).toMatchObject({ podSource: { kind: 'kubelet', kubelet } })
})

test('k8s takes the name of the node from the environment, unless it is written', () => {
  const nodeOf = (data: string, env: Record<string, string>) =>
    attestorOf(k8s(data), env) as { podSource: { kubelet: { nodeName: string } } }
  expect(nodeOf('', { MY_NODE_NAME: 'a' }).podSource.kubelet.nodeName).toBe('a')
  expect(nodeOf('', { MY_NODE_NAME: '' }).podSource.kubelet.nodeName).toBeUndefined()
  const env = { MY_NODE_NAME: 'a', NODE: 'b' }
  expect(nodeOf('node_name_env = "NODE"', env).podSource.kubelet.nodeName).toBe('b')
  expect(nodeOf('node_name = "c"\nnode_name_env = "NODE"', env).podSource.kubelet.nodeName).toBe(
    'c',
  )
})

test('k8s can watch the pods of its node at the API server', () => {
  const data = 'pod_source = "api_server"\nkubeconfig = "/kube"\nenable_namespace_labels = true'
  expect(attestorOf(k8s(data), { MY_NODE_NAME: 'node1' })).toMatchObject({
    podSource: { kind: 'api-server', nodeName: 'node1' },
    kubeconfig: '/kube',
    enableNamespaceLabels: true,
  })
})

test('k8s reads how long a container is waited for, and what of it is wanted', () => {
  const data = `max_poll_attempts = 3
poll_retry_interval = "2s"
disable_container_selectors = true
use_new_container_locator = false
verbose_container_locator_logs = true`
  expect(attestorOf(k8s(data))).toMatchObject({
    maxPollAttempts: 3,
    pollRetryIntervalMs: 2000,
    disableContainerSelectors: true,
    usesLegacyLocator: true,
    isVerbose: true,
  })
})

test('k8s that asks no kubelet is for brokers of the cluster’s pods', () => {
  const broker = 'id = "spiffe://example.org/b", pod_reference_scope = "cluster"'
  const data = `disable_kubelet_client = true
experimental { broker { access_policy = "enforced" brokers = [{ ${broker} }] } }`
  expect(attestorOf(k8s(data))).toMatchObject({
    podSource: { kind: 'none' },
  })
})

test('docker without keys asks the usual sockets, Podman’s by user', () => {
  const config = attestorOf('"docker" { }')
  expect(config).toMatchObject({
    kind: 'docker',
    dockerSocketPath: '/var/run/docker.sock',
    podmanSocketPath: '/run/podman/podman.sock',
    apiVersion: undefined,
    matchers: undefined,
    isVerbose: false,
  })
  expect(config?.kind === 'docker' && config.userPodmanSocketPath(1000)).toBe(
    '/run/user/1000/podman/podman.sock',
  )
})

test('docker reads its keys', () => {
  const config = attestorOf(
    docker(`docker_socket_path = "unix:///d"
podman_socket_path = "unix:///p"
podman_socket_path_template = "unix:///%%/%d/p"
docker_version = "1.44"
use_new_container_locator = false
container_id_cgroup_matchers = ["/docker/<id>", "/my.slice/*/<id>/*"]`),
  )
  expect(config).toMatchObject({
    dockerSocketPath: '/d',
    podmanSocketPath: '/p',
    apiVersion: '1.44',
  })
  expect(config?.kind === 'docker' && config.userPodmanSocketPath(7)).toBe('/%/7/p')
  expect(config?.kind === 'docker' && config.matchers).toHaveLength(2)
})

test('systemd is asked over the system’s bus, wherever the environment says it is', () => {
  const busOf = (env: Record<string, string>) => attestorOf('"systemd" { }', env)
  expect(busOf({})).toEqual({ kind: 'systemd', busPath: '/var/run/dbus/system_bus_socket' })
  const address = 'tcp:host=h;unix:guid=1,path=/run/my%20bus'
  expect(busOf({ DBUS_SYSTEM_BUS_ADDRESS: address })).toMatchObject({ busPath: '/run/my bus' })
  expect(refusalOf(() => busOf({ DBUS_SYSTEM_BUS_ADDRESS: 'tcp:host=h' }))).toMatch(/unix:path=/)
})

test.for([
  ['two ports', k8s('kubelet_read_only_port = 1\nkubelet_secure_port = 2'), /both given/],
  ['a certificate without its key', k8s('certificate_path = "/c"'), /without private_key_path/],
  ['a key without its certificate', k8s('private_key_path = "/k"'), /without certificate_path/],
  ['a node without a name', k8s('pod_source = "api_server"'), /set node_name, or .*MY_NODE_NAME/],
  ['another source of pods', k8s('pod_source = "cri"'), /one of kubelet, api_server/],
  ['signatures of images', k8s('sigstore { }'), /sigstore is not offered: it asks registries/],
  [
    'brokers without a policy',
    k8s('experimental { broker { brokers = [{ id = "spiffe://example.org/b" }] } }'),
    /access_policy is missing .*permissive, enforced/,
  ],
  [
    'a policy without brokers',
    k8s('experimental { broker { access_policy = "enforced" } }'),
    /brokers is empty/,
  ],
  [
    'a broker twice',
    k8s(
      'experimental { broker { access_policy = "enforced" brokers = [{ id = "spiffe://example.org/b" }, { id = "spiffe://example.org/b" }] } }',
    ),
    /has spiffe:\/\/example.org\/b twice/,
  ],
  [
    'another scope of pods',
    k8s(
      'experimental { broker { access_policy = "enforced" brokers = [{ id = "spiffe://example.org/b", pod_reference_scope = "node" }] } }',
    ),
    /one of agent_node, cluster/,
  ],
  [
    'no kubelet, and its port',
    k8s('disable_kubelet_client = true\nkubelet_secure_port = 1'),
    /disable_kubelet_client cannot be used with kubelet_secure_port/,
  ],
  [
    'no kubelet, and any certificate of it',
    k8s('disable_kubelet_client = true\nskip_kubelet_verification = true'),
    /cannot be used with skip_kubelet_verification/,
  ],
  [
    'no kubelet, and a watch instead',
    k8s('disable_kubelet_client = true\nnode_name = "n"\npod_source = "api_server"'),
    /cannot be used with node_name[\s\S]*cannot be used with pod_source/,
  ],
  [
    'no kubelet, and a broker of the pods that it would know',
    k8s(
      'disable_kubelet_client = true\nexperimental { broker { access_policy = "enforced" brokers = [{ id = "spiffe://example.org/b" }] } }',
    ),
    /brokers\[spiffe:\/\/example.org\/b\].pod_reference_scope is agent_node.*expected cluster/,
  ],
  ['an unknown key', k8s('kubelet_port = 1'), /unknown key "kubelet_port"/],
  ['Docker by TCP', docker('docker_socket_path = "tcp://h:1"'), /unix:\/\/\/run\/docker.sock/],
  ['Docker of Windows', docker('docker_host = "npipe:////./pipe/x"'), /for Windows only/],
  ['a version that is a number', docker('docker_version = 1.44'), /in quotes/],
  ['no user in a template', docker('podman_socket_path_template = "unix:///p"'), /with one %d/],
  ['two users in a template', docker('podman_socket_path_template = "unix:///%d/%d"'), /one %d/],
  ['matchers under the new rules', docker('container_id_cgroup_matchers = ["/<id>"]'), /= false/],
  [
    'a matcher without an ID',
    docker('use_new_container_locator = false\ncontainer_id_cgroup_matchers = ["/docker/"]'),
    /"\/docker\/" must contain <id> exactly once/,
  ],
  [
    'matchers that overlap',
    docker(
      'use_new_container_locator = false\ncontainer_id_cgroup_matchers = ["/a/b/<id>", "/*/b/<id>"]',
    ),
    /must not be ambiguous/,
  ],
  ['Docker’s signatures of images', docker('sigstore { }'), /sigstore is not offered/],
  ['a key of systemd', '"systemd" { plugin_data { a = 1 } }', /unknown key "a"/],
] as const)('refuses %s', ([, attestor, message]) => {
  expect(refusalOf(() => read(attestor))).toMatch(message)
})

test.for([
  [
    'a cache that is always there',
    'experimental { api_server { cache { enabled = true } } }',
    /cache/,
  ],
  ['a certificate that nobody shows', anonymousWithCertificate(), /certificate_path has no effect/],
  ['a kubeconfig that nobody reads', 'kubeconfig = "/k"', /kubeconfig has no effect/],
] as const)('warns of %s', ([, data, warning]) => {
  expect(read(k8s(data)).warnings).toEqual([expect.stringMatching(warning)])
})

function anonymousWithCertificate() {
  return 'use_anonymous_authentication = true\ncertificate_path = "/c"\nprivate_key_path = "/k"'
}
