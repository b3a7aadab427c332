/** CONFIGURATION.md is what the programs read: it is made from the very tables that check a file. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { agentKeys } from '../agent/config/keys.ts'
import type { KeyRow } from '../config/key-table.ts'
import { oidcKeys } from '../oidc/config/keys.ts'
import { proxyKeys } from '../proxy/config/keys.ts'
import { serverKeys } from '../server/config/keys.ts'

const PATH = join(import.meta.dirname, '..', 'CONFIGURATION.md')

const INTRODUCTION = `# Configuration

Every key of \`server.conf\`, \`agent.conf\`, \`oidc-discovery-provider.conf\` and \`proxy.conf\`, in HCL, YAML or JSON. Names and meanings are SPIRE's; a key that is not here is an
error. \`steeple server validate\` and \`steeple agent validate\` report every mistake of a file at once. A plugin's own keys
stand in its \`plugin_data\`: \`plugins.KeyManager.disk.keys_path\` is \`keys_path\` of \`KeyManager "disk"\`.

This page is made from the tables that check a file: after changing one, run \`npm test -- configuration -u\`.
`

const isRead = ({ status }: KeyRow) => status === 'implemented'
const isIdle = ({ status }: KeyRow) => status.startsWith('accepted')

const code = (text: string | undefined) => (text === undefined || text === '' ? '' : `\`${text}\``)
const line = (...cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(...head), `|${'---|'.repeat(head.length)}`, ...rows.map((row) => line(...row))].join(
    '\n',
  )
}

function chapter(title: string, rows: readonly KeyRow[]): string {
  const read = rows
    .filter(isRead)
    .map(({ name, about, expected, unit, fallback }) => [
      code(name),
      about,
      unit === undefined || unit === 'duration' ? expected : `${expected}, in ${unit}`,
      fallback === 'required' ? fallback : code(fallback),
    ])
  const idle = rows.filter(isIdle).map(({ name, about, status }) => [code(name), about, status])
  const refused = rows
    .filter((row) => !isRead(row) && !isIdle(row))
    .map(({ name, about, status, fallback }) => [code(name), about, code(fallback), status])
  return [
    `## ${title}`,
    table(['key', 'what it is', 'value', 'default'], read),
    ...(idle.length === 0
      ? []
      : ['### Accepted, with nothing to do', table(['key', 'what it is', 'why'], idle)]),
    '### Known from SPIRE, and refused',
    'An error, unless left out or, where there is one, at this default.',
    table(['key', 'what it is', 'default', 'why'], refused),
  ].join('\n\n')
}

test('CONFIGURATION.md tells every key that is read, and why others are not', async () => {
  const chapters = [
    chapter('server.conf', serverKeys),
    chapter('agent.conf', agentKeys),
    chapter('oidc-discovery-provider.conf', oidcKeys),
    chapter('proxy.conf', proxyKeys),
  ]
  await expect(`${[INTRODUCTION, ...chapters].join('\n')}\n`).toMatchFileSnapshot(PATH)
})

test('each key is told in one short line', () => {
  const told = /^[^\n|]{3,100}[^.\s]$/
  expect(
    [...serverKeys, ...agentKeys, ...oidcKeys, ...proxyKeys].filter(
      ({ about }) => !told.test(about),
    ),
  ).toEqual([])
})
