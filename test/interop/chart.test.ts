/** The chart as helm reads it: it passes its lint, refuses values that are wrong, and its defaults are the plain manifests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
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
  ['two servers', { server: { replicas: 2 } }, "'replicas' not allowed"],
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

interop('the version of the chart is that of the package', ['helm'], async () => {
  const { version } = JSON.parse(readFileSync(join(deploy, '..', 'package.json'), 'utf8'))
  const { stdout } = await helm(['show', 'chart', chart])
  expect(stdout).toContain(`\nversion: ${version}\n`)
  expect(stdout).toContain(`appVersion: ${version}\n`)
})
