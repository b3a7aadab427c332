/** The README shows what works: its files are accepted, its example is the one that is run, its scripts exist. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readAgentConfig } from '../agent/config.ts'
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

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const document of [readme, read('CONTRIBUTING.md')]) {
    for (const [, name = ''] of document.matchAll(/npm run ([a-z0-9]+)/g))
      expect(scripts).toHaveProperty(name)
  }
})
