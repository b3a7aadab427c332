/** The chart as helm reads it: it passes its lint, refuses values that are wrong, and its defaults are the plain manifests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readAgentConfig } from '../../agent/config.ts'
import { listAt, recordAt, textAt } from '../../kubernetes/object.ts'
import { readServerConfig } from '../../server/config.ts'
import {
  agentText,
  chart,
  deploy,
  find,
  helm,
  KUBE_VERSION,
  noFile,
  objectsOf,
  serverText,
  template,
} from './chart/render.ts'
import { interop } from './interop.ts'

interop('helm has nothing to say against the chart', ['helm'], async () => {
  const { code, stdout } = await helm(['lint', '--strict', chart])
  expect(code, stdout).toBe(0)
})

interop('the plain manifests are what the chart renders by default', ['helm'], async () => {
  const { code, stdout, stderr } = await template({})
  expect(code, stderr).toBe(0)
  const text = `# Made from the chart with its default values, for Kubernetes ${KUBE_VERSION} and later. The CRDs are in ../crds.\n${PLAIN_NAMESPACE}${stdout}`
  await expect(text).toMatchFileSnapshot(join(deploy, 'manifests', 'steeple.yaml'))
})

const PLAIN_NAMESPACE = `---
apiVersion: v1
kind: Namespace
metadata:
  name: steeple
  labels:
    # Agents look at processes of their node.
    pod-security.kubernetes.io/enforce: privileged
`

const REFUSED = [
  ['a key that there is not', { sever: {} }, "additional properties 'sever' not allowed"],
  ['a key deeper down', { agent: { socketdir: '/run/x' } }, "'socketdir' not allowed"],
  ['a trust domain in upper case', { trustDomain: 'Example.org' }, '/trustDomain'],
  ['a life without a unit', { server: { caTtl: '24' } }, '/server/caTtl'],
  ['a port out of range', { agent: { kubeletPort: 70_000 } }, '/agent/kubeletPort'],
  ['a socket directory that is not absolute', { agent: { socketDir: 'run' } }, '/agent/socketDir'],
  ['a level that there is not', { server: { logLevel: 'LOUD' } }, '/server/logLevel'],
  [
    'a directory of administrators that is not absolute',
    { agent: { adminSocketDir: 'run' } },
    '/agent/adminSocketDir',
  ],
  [
    'a further port by the name of one that is there',
    { server: { service: { extraPorts: [{ name: 'grpc', port: 1, containerPort: 1 }] } } },
    '/server/service/extraPorts/0/name',
  ],
  [
    'a further port that leads nowhere',
    { server: { service: { extraPorts: [{ name: 'istio-ca', port: 15012 }] } } },
    "missing property 'containerPort'",
  ],
  ['no server', { server: { replicas: 0 } }, '/server/replicas'],
  [
    'two servers on one file',
    { server: { replicas: 2 } },
    'server.replicas above 1 needs server.database.type postgres',
  ],
  [
    'two servers whose configuration turns back to a file',
    {
      server: {
        ...{ replicas: 2, database: { type: 'postgres', secretName: 'db' } },
        config: {
          plugins: { DataStore: { sql: { plugin_data: { database_type: 'sqlite3' } } } },
        },
      },
    },
    'server.replicas above 1 needs server.database.type postgres',
  ],
  ['another engine', { server: { database: { type: 'mysql' } } }, '/server/database/type'],
  [
    'PostgreSQL without a Secret',
    { server: { database: { type: 'postgres' } } },
    'server.database.secretName is needed',
  ],
  [
    'a connection string among the values',
    { server: { database: { type: 'postgres', connectionString: 'host=db' } } },
    "'connectionString' not allowed",
  ],
  [
    'a Secret that SQLite has no use for',
    { server: { database: { secretName: 'db' } } },
    'set server.database.type to postgres',
  ],
  [
    'a trust bundle without a signer',
    { clusterTrustBundle: { enabled: true } },
    'clusterTrustBundle.signerName is needed',
  ],
  [
    'proxies that nobody asks for',
    { injection: { enabled: true }, controllerManager: { enabled: false } },
    'injection needs controllerManager.webhook',
  ],
  [
    'a collector without a scheme',
    { injection: { tracing: { otlpEndpoint: 'otel:4318' } } },
    '/injection/tracing/otlpEndpoint',
  ],
  [
    'a collector with a password',
    { injection: { tracing: { otlpEndpoint: 'http://me:pw@otel:4318' } } },
    '/injection/tracing/otlpEndpoint',
  ],
  [
    'more spans than there are',
    { injection: { tracing: { sampling: 101 } } },
    '/injection/tracing/sampling',
  ],
  [
    'pod certificates without a signer',
    { podCertificates: { enabled: true } },
    'podCertificates.signerName is needed',
  ],
] as const

for (const [what, values, reason] of REFUSED) {
  interop(`refuses ${what}`, ['helm'], async () => {
    const { code, stderr } = await template(values)
    expect(code).not.toBe(0)
    expect(stderr).toContain(reason)
  })
}

interop(
  'agents have the coarser right only where kubelets know no finer one',
  ['helm'],
  async () => {
    const rendered = async (version: string) => {
      const { stdout } = await template({}, ['--kube-version', version])
      return stdout.match(/nodes\/[a-z]+/g)
    }
    expect(await rendered('1.36')).toEqual(['nodes/pods'])
    expect(await rendered('1.32')).toEqual(['nodes/proxy'])
  },
)

interop(
  'agents have no right at kubelets when the API server tells them of pods',
  ['helm'],
  async () => {
    const { stdout } = await template({ agent: { podSource: 'api_server' } })
    expect(stdout).not.toMatch(/nodes\/(pods|proxy)/)
    expect(stdout).toContain('"pod_source": "api_server"')
    expect(stdout).not.toContain('kubelet_secure_port')
  },
)

interop('what is laid over a configuration replaces what the chart writes', ['helm'], async () => {
  const server = {
    config: {
      server: { ca_ttl: '72h' },
      plugins: { NodeAttestor: { join_token: { plugin_data: {} } } },
    },
  }
  const { stdout } = await template({ server })
  expect(stdout).toContain('"ca_ttl": "72h"')
  expect(stdout).toMatch(/"join_token": \{\s*"plugin_data": \{\}/)
  expect(stdout).toContain('"k8s_psat"')
})

interop('proxies that are injected tell the collector that is named', ['helm'], async () => {
  const tracingOf = async (tracing: object) => {
    const injection = { enabled: true, namespaces: ['shop'], tracing }
    const { stdout, stderr, code } = await template({ injection })
    expect(code, stderr).toBe(0)
    const source = { path: 'server.json', text: serverText(objectsOf(stdout)), env: {}, flags: {} }
    return readServerConfig({ ...source, readText: noFile }).injection?.tracing
  }
  const otlpEndpoint = 'http://otel.monitoring.svc:4318'
  expect(await tracingOf({ otlpEndpoint })).toEqual({ otlpEndpoint, samplingPercent: 1 })
  for (const sampling of [0, 0.05, 12.5, 100]) {
    const samplingPercent = sampling
    expect(await tracingOf({ otlpEndpoint, sampling })).toEqual({ otlpEndpoint, samplingPercent })
  }
  expect(await tracingOf({ sampling: 50 })).toBeUndefined()
})

interop(
  'a port that the configuration opens is in the pod, in its Service and let through',
  ['helm'],
  async () => {
    const port = { name: 'istio-ca', port: 443 }
    const extraPorts = [{ ...port, containerPort: 15012 }]
    const mesh = { istio_ca: { clusters: { Kubernetes: {} } } }
    const { stdout } = await template({ server: { service: { extraPorts }, config: { mesh } } })
    const objects = objectsOf(stdout)
    const spec = (kind: string) => recordAt(find(objects, kind, 'steeple-server'), 'spec')
    expect(spec('Service').ports).toContainEqual({ ...port, targetPort: 'istio-ca' })
    const pod = recordAt(recordAt(spec('StatefulSet'), 'template'), 'spec')
    const [container] = listAt(pod, 'containers')
    expect(listAt(container, 'ports')).toContainEqual({ name: 'istio-ca', containerPort: 15012 })
    const [rule] = listAt(spec('NetworkPolicy'), 'ingress')
    expect(listAt(rule, 'ports')).toContainEqual({ port: 'istio-ca', protocol: 'TCP' })
    const source = { path: 'server.json', text: serverText(objects), env: {}, flags: {} }
    const server = readServerConfig({ ...source, readText: noFile })
    expect(server.mesh.istioCa).toMatchObject({ bindPort: 15012 })
  },
)

interop('the socket of delegates is on the node where it is asked for', ['helm'], async () => {
  const rendered = async (adminSocketDir: string) => {
    const objects = objectsOf((await template({ agent: { adminSocketDir } })).stdout)
    const text = agentText(objects)
    const env = { MY_NODE_NAME: 'node1' }
    const read = () =>
      readAgentConfig({ path: 'agent.json', text, env, flags: {}, readText: noFile })
    const spec = recordAt(find(objects, 'DaemonSet', 'steeple-agent'), 'spec')
    const pod = recordAt(recordAt(spec, 'template'), 'spec')
    const [container] = listAt(pod, 'containers')
    const named = (list: readonly unknown[]) => list.find((one) => textAt(one, 'name') === 'admin')
    const mount = textAt(named(listAt(container, 'volumeMounts')), 'mountPath')
    return { read, mount, volume: named(listAt(pod, 'volumes')) }
  }
  const shared = await rendered('/run/spire/admin')
  expect(shared.read().adminSocketPath).toBe('/run/spire/admin/admin.sock')
  expect(shared.mount).toBe('/run/spire/admin')
  expect(shared.volume).toMatchObject({ hostPath: { path: '/run/spire/admin' } })
  const own = await rendered('')
  expect(own.read().adminSocketPath).toBe(`${own.mount}/admin.sock`)
  expect(own.volume).not.toHaveProperty('hostPath')
  const among = await rendered('/run/spire/agent-sockets')
  expect(among.read).toThrow(/admin_socket_path/)
})

interop('the version of the chart is that of the package', ['helm'], async () => {
  const { version } = JSON.parse(readFileSync(join(deploy, '..', 'package.json'), 'utf8'))
  const { stdout } = await helm(['show', 'chart', chart])
  expect(stdout).toContain(`\nversion: ${version}\n`)
  expect(stdout).toContain(`appVersion: ${version}\n`)
})
