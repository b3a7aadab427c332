/** YAML with places: one document, no aliases, no tags. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseYaml } from '../../config/yaml.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { anyText } from '../fakes/any-text.ts'
import { anyTree, plain, refusalOf } from './trees.ts'

const read = (text: string) => parseYaml('x.yaml', text)

test('reads values, keeps the text of numbers and repeated keys', () => {
  const text = 'a: [0x1F, 1.50, true, yes, ~, "é\\n"]\nb:\n  c:\nb: |\n  x\n8081: y\n'
  expect(plain(read(text))).toEqual({
    a: ['0x1F', '1.50', true, 'yes', 'null', 'é\n'],
    b: [{ c: 'null' }, 'x\n'],
    8081: 'y',
  })
})

test('knows the place of keys and values', () => {
  const root = read('# first\nserver:\n  bind_port: x\n')
  const server = root.kind === 'object' ? root.members[0] : undefined
  const port = server?.value.kind === 'object' ? server.value.members[0] : undefined
  expect(server?.place).toMatchObject({ line: 2, column: 1 })
  expect(port?.place).toMatchObject({ line: 3, column: 3 })
  expect(port?.value.place).toMatchObject({ line: 3, column: 14 })
})

test.for([
  ['an alias', 'a: &x 1\nb: *x', '1:7: tags and anchors are not read'],
  ['an alias to nothing', 'b: *x', 'x.yaml:1:4: '],
  ['an anchor on a collection', 'a: &x\n  b: 1', 'tags and anchors are not read'],
  ['a tag', 'a: !secret x', '1:4: not YAML: a tag is not known'],
  ['a tag of YAML’s own', 'a: !!binary aGk=', '1:4: not YAML: a tag is not known'],
  ['a tag that changes nothing', 'a: !!str 5', 'tags and anchors are not read'],
  ['a carriage return alone', 'a: 1\r\nb: 2 # no key:\rc: 3', '2:15: not YAML: a carriage return'],
  ['one in a quoted text', 'a: "b\rc"', '1:6: not YAML: a carriage return'],
  ['two documents', 'a: 1\n---\nb: 2', '2:1: not YAML: a second document begins'],
  ['a tab', 'a:\n\tb: 1', 'not YAML: a tab is used for indentation'],
  ['wrong indentation', 'a:\n    b: 1\n  c: 2', '3:'],
  ['a list as key', '? [a]\n: b', '1:3: a key is no string'],
  ['no key', '? \n: b', 'a key is no string'],
  ['a quote without an end', 'a: "1', 'a colon, a comma, a quote or a closing bracket is missing'],
  ['two colons', 'a: b: c', 'a key and its value are nested on one line'],
  ['too many levels', '['.repeat(33) + ']'.repeat(33), 'nested too deeply'],
  ['far too many levels', '['.repeat(20_000), 'nested too deeply'],
] as const)('refuses %s in its place', ([, text, message]) => {
  expect(refusalOf(() => read(text))).toContain(message)
})

test('keeps what may be a secret out of its messages', () => {
  for (const text of ['a: *s3cr3t', 'a: "s3cr3t', 'a: s3cr3t: b', 'a: !s3cr3t b', '- s3cr3t\nb']) {
    expect(refusalOf(() => read(text))).not.toContain('s3cr3t')
  }
})

test('reads back every tree that is written as YAML', () => {
  const options = { aliasDuplicateObjects: false, defaultStringType: 'QUOTE_DOUBLE' } as const
  fc.assert(
    fc.property(anyTree, (tree) => {
      expect(plain(read(stringify(tree, options)))).toEqual(tree)
    }),
  )
})

test('throws nothing but CONFIG_INVALID, whatever the text', () => {
  const pieces = fc.constantFrom(
    ...[
      'a',
      ': ',
      '- ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '&x ',
      '*x',
      '!t ',
      '|\n',
      '>-\n',
      '"',
      "'",
    ],
    ...['\n', '\n  ', '\t', '#', '%', '---\n', '...\n', '~', '1', '\u0000', '\ufeff', '\\', '<<: '],
  )
  const texts = fc.oneof(
    anyText({ maxLength: 40 }),
    fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        expect(read(text)).toHaveProperty('kind')
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
        expect(error).toHaveProperty('code', 'CONFIG_INVALID')
      }
    }),
    { numRuns: 200 },
  )
})
