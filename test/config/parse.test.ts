/** Which format a file is read in, and how large it may be. */
import { expect, test } from 'vitest'
import { parseConfig } from '../../config/parse.ts'
import { MAX_CONFIG_BYTES } from '../../config/tree.ts'
import { plain, refusalOf } from './trees.ts'

test.for([
  ['server.conf', 'a = "x"'],
  ['server.hcl', 'a = "x"'],
  ['server', 'a = "x"'],
  ['server.conf', ' \n{"a": "x"}'],
  ['server.json', '{"a": "x"}'],
  ['server.JSON', '{"a": "x"}'],
  ['server.yaml', 'a: x'],
  ['server.yml', 'a: x'],
  ['server.yaml', '{"a": "x"}'],
] as const)('reads %s that holds %j', ([file, text]) => {
  expect(plain(parseConfig(file, text))).toEqual({ a: 'x' })
})

test.for([
  ['server.json', 'a = "x"'],
  ['server.yaml', 'a = "x"'],
  ['server.conf', 'a: x'],
  ['server.json', ''],
  ['server.json', '[]'],
  ['server.yaml', '- a'],
] as const)('refuses %s that holds %j', ([file, text]) => {
  expect(refusalOf(() => parseConfig(file, text))).toContain(`${file}:1:`)
})

test.for(['server.conf', 'server.yaml'])('reads an empty %s as one without keys', (file) => {
  expect(plain(parseConfig(file, ''))).toEqual({})
})

test('counts bytes, not characters, against the limit of a file', () => {
  const text = `# ${'é'.repeat(MAX_CONFIG_BYTES / 2 - 1)}`
  expect(plain(parseConfig('x.conf', text))).toEqual({})
  expect(refusalOf(() => parseConfig('x.conf', `${text}.`))).toContain('the file is too large')
})
