/** The chart as helm reads it: it passes its lint, refuses values that are wrong, and its defaults are the plain manifests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { readAgentConfig } from '../../agent/config.ts'
import { listAt, recordAt, textAt, textsAt } from '../../kubernetes/object.ts'
import { readServerConfig } from '../../server/config.ts'
import { run } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

const deploy = join(import.meta.dirname, '..', '..', 'deploy')
const chart = join(deploy, 'chart', 'steeple')
/** The plain manifests are for this version and later. */
const KUBE_VERSION = '1.36'

const helm = (args: readonly string[], values: object = {}) =>
  run(peer('helm'), args, { input: JSON.stringify(values), timeoutMs: 60_000 })

const template = (values: object, more: readonly string[] = []) =>
  helm(
    [
      ...['template', 'steeple', chart, '-n', 'steeple', '--kube-version', KUBE_VERSION],
      ...['-f', '-', ...more],
    ],
    values,
  )

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

const SEVERAL = {
  server: {
    replicas: 3,
    database: { type: 'postgres', secretName: 'db', secretKey: 'url', filesSecretName: 'db-files' },
  },
}

const objectsOf = (rendered: string): readonly unknown[] =>
  parseAllDocuments(rendered).map((document) => document.toJS())

const noFile = (path: string): never => {
  throw new Error(`nothing is to be read, but ${path} was`)
}

const find = (objects: readonly unknown[], kind: string, name: string) =>
  objects.find(
    (one) => textAt(one, 'kind') === kind && textAt(recordAt(one, 'metadata'), 'name') === name,
  )

interop(
  'a port that the configuration opens is in the pod, in its Service and let through',
  ['helm'],
  async () => {
    const extraPorts = [{ name: 'istio-ca', port: 443, containerPort: 15012 }]
    const mesh = { istio_ca: { clusters: { Kubernetes: {} } } }
    const { stdout } = await template({ server: { service: { extraPorts }, config: { mesh } } })
    const objects = objectsOf(stdout)
    const spec = (kind: string) => recordAt(find(objects, kind, 'steeple-server'), 'spec')
    expect(spec('Service').ports).toContainEqual({
      ...{ name: 'istio-ca', port: 443, targetPort: 'istio-ca' },
    })
    const pod = recordAt(recordAt(spec('StatefulSet'), 'template'), 'spec')
    const [container] = listAt(pod, 'containers')
    expect(listAt(container, 'ports')).toContainEqual({ name: 'istio-ca', containerPort: 15012 })
    const [rule] = listAt(spec('NetworkPolicy'), 'ingress')
    expect(listAt(rule, 'ports')).toContainEqual({ port: 'istio-ca', protocol: 'TCP' })
    const text = textsAt(find(objects, 'ConfigMap', 'steeple-server'), 'data')['server.json'] ?? ''
    const server = readServerConfig({
      path: 'server.json',
      text,
      env: {},
      flags: {},
      readText: noFile,
    })
    expect(server.mesh.istioCa).toMatchObject({ bindPort: 15012 })
  },
)

interop('the socket of delegates is on the node where it is asked for', ['helm'], async () => {
  const rendered = async (adminSocketDir: string) => {
    const objects = objectsOf((await template({ agent: { adminSocketDir } })).stdout)
    const text = textsAt(find(objects, 'ConfigMap', 'steeple-agent'), 'data')['agent.json'] ?? ''
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

interop('three servers on PostgreSQL are rendered as they were looked over', ['helm'], async () => {
  const [one, three] = [await template({}), await template(SEVERAL)]
  expect(three.code, three.stderr).toBe(0)
  const before = new Set(one.stdout.split('\n'))
  const added = three.stdout.split('\n').filter((line) => !before.has(line))
  await expect(`${added.join('\n')}\n`).toMatchFileSnapshot('chart/several-servers.txt')
})

interop('servers and agents take the configurations of three servers', ['helm'], async () => {
  const { stdout } = await template(SEVERAL)
  const objects = objectsOf(stdout)
  const read = (name: string, key: string) =>
    textsAt(find(objects, 'ConfigMap', name), 'data')[key] ?? ''
  const source = (text: string, env: Readonly<Record<string, string>>) => ({
    ...{ path: 'file.json', text, env, flags: { expandEnv: true } },
    readText: () => 'PEM',
  })
  const uri = 'postgres://me:p$HOME@db/steeple?sslmode=require'
  const text = read('steeple-server', 'server.json')
  const server = readServerConfig(source(text, { STEEPLE_DATABASE: uri, HOME: '/root' }))
  expect(server.dataStore).toMatchObject({
    ...{ kind: 'postgres', primary: { user: 'me', password: 'p$HOME', database: 'steeple' } },
  })
  // What else has a dollar sign is what it is without the environment.
  expect(server.controller?.ignoredNamespaces).toEqual([
    '^kube-system$',
    '^kube-public$',
    '^steeple$',
  ])
  const agent = readAgentConfig({
    ...source(read('steeple-agent', 'agent.json'), { MY_NODE_NAME: 'node1' }),
    flags: {},
  })
  expect(agent).toMatchObject({
    ...{ serverAddress: 'steeple-servers.steeple.svc', serverPort: 8081 },
  })
})

interop('a connection string that breaks the text is refused and not shown', ['helm'], async () => {
  const { stdout } = await template(SEVERAL)
  const objects = objectsOf(stdout)
  const text = textsAt(find(objects, 'ConfigMap', 'steeple-server'), 'data')['server.json'] ?? ''
  for (const broken of [
    'host=db password="s3cr3t"',
    "password=s3cr3t\\' host=db",
    'host="s3cr3t',
  ]) {
    const input = { path: 'server.json', text, env: { STEEPLE_DATABASE: broken } }
    const reading = () =>
      readServerConfig({ ...input, flags: { expandEnv: true }, readText: () => 'PEM' })
    expect(reading).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(reading).toThrow(/server\.json:\d\d+:/)
    expect(reading).not.toThrow(/s3cr3t/)
  }
})

interop('the version of the chart is that of the package', ['helm'], async () => {
  const { version } = JSON.parse(readFileSync(join(deploy, '..', 'package.json'), 'utf8'))
  const { stdout } = await helm(['show', 'chart', chart])
  expect(stdout).toContain(`\nversion: ${version}\n`)
  expect(stdout).toContain(`appVersion: ${version}\n`)
})
