/** What is deployed agrees with itself: roles with the permissions that are told, values with their schema, CRDs with the chart's. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { readAgentConfig } from '../agent/config.ts'
import { CONFIGURED_PERMISSIONS } from '../cli/k8s/configured-permissions.ts'
import { PERMISSIONS, type Permission } from '../cli/k8s/permissions.ts'
import { isRecord, listAt, recordAt, textAt, textsAt } from '../kubernetes/object.ts'
import { readServerConfig } from '../server/config.ts'

const root = join(import.meta.dirname, '..')
const deploy = join(root, 'deploy')
const read = (...path: readonly string[]) => readFileSync(join(root, ...path), 'utf8')
const chart = join('deploy', 'chart', 'steeple')

const manifests: readonly unknown[] = parseAllDocuments(read('deploy/manifests/steeple.yaml')).map(
  (document) => document.toJS(),
)
const ofKind = (kind: string) => manifests.filter((object) => textAt(object, 'kind') === kind)
const nameOf = (object: unknown) => textAt(recordAt(object, 'metadata'), 'name') ?? ''

/** `who scope group/resource verb` of each thing that a role of the plain manifests allows. */
function allowed(): readonly string[] {
  return [...ofKind('ClusterRole'), ...ofKind('Role')].flatMap((role) =>
    listAt(role, 'rules').flatMap((rule) => {
      const who = nameOf(role).endsWith('-agent') ? 'agent' : 'server'
      const isNamed = listAt(rule, 'resourceNames').length > 0
      const scope = isNamed ? 'named' : textAt(role, 'kind') === 'Role' ? 'own' : 'cluster'
      return cross(rule, (group, resource, verb) => `${who} ${scope} ${group}/${resource} ${verb}`)
    }),
  )
}

function cross(rule: unknown, told: (group: string, resource: string, verb: string) => string) {
  const texts = (key: string) => listAt(rule, key).map(String)
  return texts('apiGroups').flatMap((group) =>
    texts('resources').flatMap((resource) =>
      texts('verbs').map((verb) => told(group, resource, verb)),
    ),
  )
}

const told = (permissions: readonly Permission[]) =>
  permissions.flatMap(({ who, scope, group, resource, verbs }) =>
    verbs.map((verb) => `${who} ${scope} ${group}/${resource} ${verb}`),
  )

const byDefault = PERMISSIONS.filter(({ value }) => value === undefined)

test('the roles of the plain manifests allow what is told of the defaults, and nothing else', () => {
  expect([...new Set(allowed())].toSorted()).toEqual([...new Set(told(byDefault))].toSorted())
})

test('no role allows everything of anything, secrets, or what would give more rights', () => {
  for (const right of [...allowed(), ...told([...PERMISSIONS, ...CONFIGURED_PERMISSIONS])]) {
    expect(right).not.toMatch(/\*|secrets|rolebindings|impersonate|escalate|bind$|pods\/exec/)
  }
})

test('the template of the roles names every permission that a value turns on', () => {
  const template = ['server/rbac.yaml', 'server/injection.yaml', 'agent/rbac.yaml']
    .map((name) => read(chart, 'templates', name))
    .join('')
  for (const { resource, verbs, value } of PERMISSIONS) {
    if (value === undefined) continue
    expect(template).toContain(`.Values.${value.split(':')[0]}`)
    expect(template).toContain(resource)
    for (const verb of verbs) expect(template).toContain(verb)
  }
})

/** Rows of a table, as SECURITY.md has them. */
function permissionRows(permissions: readonly (Permission & { readonly setting?: string })[]) {
  const rows = permissions.map(({ who, group, resource, verbs, scope, why, value, setting }) => {
    const what = `\`${resource}${group === '' ? '' : `.${group}`}\``
    const where = { cluster: 'everywhere', own: 'own namespace', named: 'the named ones alone' }
    const when = value === undefined ? '' : `, if \`${value}\``
    const by = setting === undefined ? '' : `, with \`${setting}\``
    return `| ${who} | ${verbs.join(', ')} | ${what} | ${where[scope]}${when}${by} | ${why} |`
  })
  return ['| who | may | what | where | to |', '|---|---|---|---|---|', ...rows]
}

test('SECURITY.md says of each permission in a cluster what it is for', () => {
  const section = read('SECURITY.md').split('## Permissions in Kubernetes')[1] ?? ''
  const table = section.split('\n').filter((line) => line.startsWith('|'))
  expect(table).toEqual([...permissionRows(PERMISSIONS), ...permissionRows(CONFIGURED_PERMISSIONS)])
})

test('the chart has the same CRDs as deploy/crds', () => {
  const names = (dir: string) => readdirSync(join(root, dir)).toSorted()
  expect(names(join(chart, 'crds'))).toEqual(names('deploy/crds'))
  for (const name of names('deploy/crds')) {
    expect(read(chart, 'crds', name), name).toBe(read('deploy/crds', name))
  }
})

/** Paths of everything that is set, but for what is free to the user. */
function paths(value: unknown, path = ''): readonly string[] {
  if (!isRecord(value) || Object.keys(value).length === 0 || path.endsWith('.resources'))
    return [path]
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, `${path}.${key}`))
}

function schemaPaths(schema: unknown, path = ''): readonly string[] {
  const properties = recordAt(schema, 'properties')
  if (Object.keys(properties).length === 0) return [path]
  return Object.entries(properties).flatMap(([key, inner]) => schemaPaths(inner, `${path}.${key}`))
}

test('each value has its row in the schema, and the other way round', () => {
  const schema: unknown = JSON.parse(read(chart, 'values.schema.json'))
  const values: unknown = parse(read(chart, 'values.yaml'))
  const ofHelm = '.global'
  expect(
    schemaPaths(schema)
      .filter((path) => path !== ofHelm)
      .toSorted(),
  ).toEqual(paths(values).toSorted())
})

test('each value says in the schema what it is', () => {
  const silent: string[] = []
  const look = (schema: unknown, path: string) => {
    if ((textAt(schema, 'description') ?? '') === '') silent.push(path)
    for (const [key, inner] of Object.entries(recordAt(schema, 'properties'))) {
      look(inner, `${path}.${key}`)
    }
  }
  look(JSON.parse(read(chart, 'values.schema.json')), '')
  expect(silent).toEqual([])
})

const configMap = (name: string) =>
  textsAt(
    ofKind('ConfigMap').find((object) => nameOf(object) === name),
    'data',
  )
const source = (path: string, text: string | undefined) => ({
  ...{ path, text: text ?? '', flags: {}, env: { MY_NODE_NAME: 'node1' } },
  readText: (other: string) => {
    throw new Error(`nothing is to be read, but ${other} was`)
  },
})

test('server and agent take the configurations of the plain manifests, and they fit', () => {
  const server = readServerConfig(source('server.json', configMap('steeple-server')['server.json']))
  const agent = readAgentConfig(source('agent.json', configMap('steeple-agent')['agent.json']))
  expect(agent.trustDomain).toBe(server.trustDomain)
  expect(agent.nodeAttestor).toMatchObject({ kind: 'k8s_psat', cluster: 'cluster' })
  expect(server.nodeAttestors).toMatchObject([
    { clusters: [{ name: 'cluster', serviceAccounts: ['steeple:steeple-agent'] }] },
  ])
  expect(server.controller).toMatchObject({ clusterName: 'cluster' })
})

test('no container of the plain manifests is root with rights of root, or may write its own file system', () => {
  const containers = [...ofKind('StatefulSet'), ...ofKind('DaemonSet')].flatMap((object) =>
    listAt(recordAt(recordAt(recordAt(object, 'spec'), 'template'), 'spec'), 'containers'),
  )
  expect(containers).toHaveLength(2)
  for (const container of containers) {
    expect(recordAt(container, 'securityContext')).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    })
  }
})

test('everything that the build of the image names is there, and nothing else goes into it', () => {
  const kept = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  for (const path of kept) {
    if (!path.includes('*')) expect(existsSync(join(root, path)), path).toBe(true)
  }
  const { include } = JSON.parse(read('tsconfig.build.json'))
  expect(kept).toEqual(expect.arrayContaining([...include, 'package.json', 'package-lock.json']))
  expect(kept).not.toContain('test')
})

test('systemd units start what the package has, and give no privilege that is not named', () => {
  for (const [name, command] of [
    ['steeple-server.service', 'steeple server run'],
    ['steeple-agent.service', 'steeple agent run'],
  ] as const) {
    const unit = readFileSync(join(deploy, 'systemd', name), 'utf8')
    expect(unit).toContain(`ExecStart=/usr/bin/${command} `)
    expect(unit).toContain('NoNewPrivileges=yes')
    expect(unit).toMatch(/^CapabilityBoundingSet=/m)
    expect(unit).toContain('ProtectSystem=strict')
  }
})
