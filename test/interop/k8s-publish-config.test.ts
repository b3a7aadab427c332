/** What is written of publishing into Kubernetes, read by SPIRE's server and by ours: both take it, or both refuse it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { type Kind, program, startServer } from '../processes/cluster.ts'
import { run } from '../processes/process.ts'
import { interop } from './interop.ts'

const dir = mkdtempSync(join(tmpdir(), 'k8s-publish-config-'))
afterAll(() => rmSync(dir, { recursive: true }))

async function validate(kind: Kind, plugin: string): Promise<{ valid: boolean; said: string }> {
  const path = join(dir, `${kind}.conf`)
  const store = `database_type = "sqlite3" connection_string = "${join(dir, 'x.db')}"`
  writeFileSync(
    path,
    `server { trust_domain = "example.org" data_dir = "${dir}" }
plugins {
DataStore "sql" { plugin_data { ${store} } }
KeyManager "memory" { plugin_data {} }
${plugin}
}`,
  )
  const [command, words] = program(kind, 'server')
  const { code, stdout, stderr } = await run(command, [...words, 'validate', '-config', path])
  return { valid: code === 0, said: stdout + stderr }
}

const MAP = 'format = "pem" namespace = "ns" configmap_name = "cm" configmap_key = "k"'
const configMap = (cluster: string) =>
  `BundlePublisher "k8s_configmap" { plugin_data { clusters = { "a" = { ${cluster} } } } }`
const notifier = (data: string) => `Notifier "k8sbundle" { plugin_data { ${data} } }`

/** The last: a word of both refusals, or undefined where both take it. */
const BOTH = [
  ['a ConfigMap', configMap(MAP), undefined],
  [
    'a kubeconfig and a hint',
    configMap(`${MAP} kubeconfig_path = "/k" refresh_hint = "2m"`),
    undefined,
  ],
  ['no format', configMap(MAP.replace('format = "pem"', '')), 'format'],
  ['an unknown format', configMap(MAP.replace('"pem"', '"der"')), 'format'],
  ['no namespace', configMap(MAP.replace('namespace = "ns"', '')), 'namespace'],
  ['no ConfigMap’s name', configMap(MAP.replace('configmap_name = "cm"', '')), 'configmap'],
  ['no key', configMap(MAP.replace('configmap_key = "k"', '')), 'key'],
  ['a hint that is no duration', configMap(`${MAP} refresh_hint = "soon"`), 'refresh_hint'],
  ['a notifier with defaults', notifier(''), undefined],
  [
    'a notifier with everything',
    notifier(
      'namespace = "a" config_map = "b" config_map_key = "c" webhook_label = "d" api_service_label = "e" kube_config_file_path = "/f"',
    ),
    undefined,
  ],
  [
    'further clusters',
    notifier(
      'clusters = [{ kube_config_file_path = "/a" }, { kube_config_file_path = "/b" namespace = "c" }]',
    ),
    undefined,
  ],
] as const

interop(
  'both servers take the same configurations of publishing, and refuse the same',
  ['spire-server'],
  async () => {
    for (const [title, plugin, word] of BOTH) {
      const [ours, theirs] = [await validate('steeple', plugin), await validate('spire', plugin)]
      const told = `${title}\nours: ${ours.said}\nSPIRE: ${theirs.said}`
      expect([ours.valid, theirs.valid], told).toEqual([word === undefined, word === undefined])
      if (word === undefined) continue
      expect(ours.said, told).toContain(word)
      expect(theirs.said, told).toContain(word)
    }
  },
)

/** What SPIRE's `validate` takes and its server then fails with, or never notices: we refuse it when we read it. */
const STRICTER = [
  ['a cluster without a kubeconfig', notifier('clusters = [{ namespace = "x" }]')],
  ['a key that nobody reads', configMap(`${MAP} config_map = "x"`)],
  ['a namespace that is a path', configMap(MAP.replace('"ns"', '"../x"'))],
  ['a label that selects more', notifier('webhook_label = "a=true,b"')],
] as const

interop(
  'what SPIRE takes without looking is refused with its place',
  ['spire-server'],
  async () => {
    for (const [title, plugin] of STRICTER) {
      const [ours, theirs] = [await validate('steeple', plugin), await validate('spire', plugin)]
      expect([ours.valid, theirs.valid], `${title}\n${ours.said}${theirs.said}`).toEqual([
        false,
        true,
      ])
      expect(ours.said, title).toMatch(/steeple\.conf:5:/)
    }
  },
)

interop(
  'without a cluster SPIRE’s check says no, though its server runs; ours warns',
  ['spire-server'],
  async () => {
    const plugin = 'BundlePublisher "k8s_configmap" { plugin_data {} }'
    const [ours, theirs] = [await validate('steeple', plugin), await validate('spire', plugin)]
    expect([ours.valid, theirs.valid]).toEqual([true, false])
    for (const { said } of [ours, theirs]) {
      expect(said).toContain('No clusters configured, bundle will not be published')
    }
  },
)

interop(
  'a kubeconfig that is not there stops either server at its start',
  ['spire-server'],
  async () => {
    const kubeconfig = join(dir, 'no-such-kubeconfig')
    for (const kind of ['steeple', 'spire'] as const) {
      const plugins = configMap(`${MAP} kubeconfig_path = "${kubeconfig}"`)
      await expect(startServer(kind, { plugins }), kind).rejects.toThrow(/no-such-kubeconfig/)
    }
    const blocks = `pod_certificates "a" { signer_name = "a.b/c" kube_config_file = "${kubeconfig}" }`
    await expect(startServer('steeple', { blocks })).rejects.toThrow(/cannot use the kubeconfig/)
  },
)
