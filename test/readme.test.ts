/** The README shows what works: its files are accepted, its example is the one that is run, its scripts exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readAgentConfig } from '../agent/config.ts'
import { agentProgram } from '../cli/agent-program.ts'
import { rootProgram } from '../cli/root-program.ts'
import { parseDeclaration } from '../cli/server/entry/declaration.ts'
import { parsePlain } from '../cli/server/entry/plain-value.ts'
import { serverProgram } from '../cli/server-program.ts'
import { readServerConfig } from '../server/config.ts'

const root = join(import.meta.dirname, '..')
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const readme = read('README.md')

const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  )

const source = (text: string) => ({
  path: 'README.md',
  text,
  flags: {},
  env: {},
  readText: (path: string) => {
    throw new Error(`nothing is to be read, but ${path} was`)
  },
})

test('its server.conf and agent.conf are accepted as they stand', () => {
  const [server = '', agent = ''] = blocks('hcl')
  expect(readServerConfig(source(server)).trustDomain).toBe('example.org')
  expect(readAgentConfig(source(agent)).trustDomain).toBe('example.org')
})

test('its example is the program that the tests run', () => {
  const [example = ''] = blocks('ts')
  const body = read('demo/hello-mtls.ts').split('await using source')[1]
  expect(example.split('await using source')[1]).toBe(body)
})

test('its declared entries are a file that entry apply takes', () => {
  const [yaml = ''] = blocks('yaml')
  expect(parseDeclaration(parsePlain('entries.yaml', yaml))).toMatchObject({
    owner: 'shop',
    entries: [{ entry: { spiffe_id: { path: '/web' } } }],
  })
})

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const document of [readme, read('CONTRIBUTING.md')]) {
    for (const [, name = ''] of document.matchAll(/npm run ([a-z0-9]+)/g))
      expect(scripts).toHaveProperty(name)
  }
})

/** The first cells of the table under `steeple server …`: `entry create, show` is two commands. */
function commandsOf(program: string): readonly string[] {
  const title = `steeple ${program}`.trim()
  const table = readme.split(`| \`${title} …\``)[1]?.split('\n\n')[0] ?? ''
  const cells = [...table.matchAll(/^\| (`.*`) \|/gm)].map(([, cell = '']) => cell)
  return cells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, text = '']) => {
      const [first = '', ...others] = text.split(', ')
      const group = first.split(' ').slice(0, -1)
      return [first, ...others.map((name) => [...group, name].join(' '))]
    }),
  )
}

test.for([serverProgram, agentProgram, rootProgram])(
  'its commands of "$name" are those that there are',
  (program) => {
    const named = [...program.commands.keys()].filter((name) => name !== 'api fetch') // means api fetch x509
    expect(commandsOf(program.name).toSorted()).toEqual(named.toSorted())
  },
)

const DOCUMENTS = ['README', 'ARCHITECTURE', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG']

test.for(DOCUMENTS)('every file that %s links to exists', (name) => {
  for (const [, target = ''] of read(`${name}.md`).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
    expect(existsSync(join(root, target)), target).toBe(true)
  }
})

test('ARCHITECTURE.md names every room, and none that is not there', () => {
  const rooms = [...read('ARCHITECTURE.md').matchAll(/^- `([a-z]+)\/`/gm)].map(([, room]) => room)
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^\.|^(node_modules|dist)$/.test(entry.name))
    .map(({ name }) => name)
  expect(rooms.toSorted()).toEqual(folders.toSorted())
})

test('ARCHITECTURE.md says why each dependency is there', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json'))
  const told = read('ARCHITECTURE.md').split('## Dependencies')[1] ?? ''
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })
  const untold = names.filter((name) => !name.startsWith('@types/') && !told.includes(name))
  expect(untold).toEqual([])
})
