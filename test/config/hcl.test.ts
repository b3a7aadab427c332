/** HCL 1 against what SPIRE was seen to read, and against everything else that could be in a file. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseHcl } from '../../config/hcl.ts'
import type { ConfigNode } from '../../config/tree.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { anyText } from '../fakes/any-text.ts'
import { HCL_BODIES, HCL_VALUES } from '../vectors/hcl-values.ts'
import { anyTree, type Plain, plain, refusalOf } from './trees.ts'

const read = (text: string) => parseHcl('x.conf', text)

test.for(HCL_VALUES.filter((one) => one.read !== undefined))(
  'reads $title as SPIRE does',
  ({ written, read: expected }) => {
    const root = read(`before = 1\nkey = ${written}\nafter = 2`)
    const members = root.kind === 'object' ? root.members : []
    expect(members.map(({ key }) => key)).toEqual(['before', 'key', 'after'])
    const value = members[1]?.value
    expect(value?.kind === 'string' ? value.value : value?.kind === 'number' && value.text).toBe(
      expected,
    )
  },
)

test.for(HCL_VALUES.filter((one) => one.read === undefined))(
  'refuses $title as SPIRE does',
  ({ written }) => {
    expect(refusalOf(() => read(`key = ${written}`))).toMatch(/^x\.conf:\d+:\d+: /)
  },
)

test.for([
  ['a key without a value', 'a = 1\nb\nc = 2', 'x.conf:3:1: no value follows the key "b"'],
  ['a key alone', 'a = 1\nb', 'x.conf:2:2: no value follows the key "b" (expected = or {)'],
  ['a brace too many', 'a {\n}\n}', 'x.conf:3:1: unexpected }'],
  ['a brace too few', 'a {\n  b = 1\n', 'x.conf:3:1: the file ends inside an object (expected })'],
  ['an unquoted word', 'a = 1\n  b = word', 'x.conf:2:7: a word stands where a value belongs'],
  [
    'an unquoted duration',
    'ttl = 24h',
    'x.conf:1:7: letters follow a number (expected quotes around it',
  ],
  ['a wrong escape', 'a = "x\\q"', 'x.conf:1:7: unknown escape in a string'],
  ['half a surrogate pair', 'a = "\\ud800"', 'x.conf:1:6: an escape names no character'],
  ['a code point too high', 'a = "\\U00110000"', 'x.conf:1:6: an escape names no character'],
  [
    'a byte that is no character',
    'a = "\\xff"',
    'x.conf:1:6: an escape names a byte that is no character',
  ],
  ['a string over two lines', 'a = 1\nb = "x\ny"', 'x.conf:2:5: the string has no end'],
  ['an odd character', 'a = 1\r\nb = ~', 'x.conf:2:5: unexpected character "~"'],
  [
    'a label and an equal sign',
    'a "b" = {}',
    'x.conf:1:7: a block with a label cannot be assigned',
  ],
  ['a file that ends in a list', 'a = [1,', 'x.conf:1:8: the file ends inside a list (expected ])'],
  [
    'a heredoc without an end',
    'a = 1\nb = <<EOF\nx',
    'x.conf:2:5: the text after <<EOF has no end',
  ],
] as const)('says where and what is wrong: %s', ([, text, message]) => {
  expect(refusalOf(() => read(text))).toContain(message)
})

test('keeps what may be a secret out of its messages', () => {
  for (const text of ['join_token = s3cr3t', 'join_token "s3cr3t"', 'a = ["x" "s3cr3t"]']) {
    expect(refusalOf(() => read(text))).not.toContain('s3cr3t')
  }
})

test('knows the place of every key and value, also after texts of several lines', () => {
  const root = read('a = <<X\none\ntwo\nX\n/* a\nb */ c "d" {\n  e = [true,\n    "f"]\n}')
  expect(places(root)).toEqual(
    [
      'a 1:1',
      'string 1:5',
      'c 6:6',
      'd 6:8',
      'object 6:8',
      'e 7:3',
      'object 6:12',
      'list 7:7',
      'bool 7:8',
      'string 8:5',
    ].toSorted(),
  )
})

function places(node: ConfigNode): string[] {
  const show = (name: string, { place }: Pick<ConfigNode, 'place'>) =>
    place.kind === 'file' ? `${name} ${place.line}:${place.column}` : name
  const walk = (inner: ConfigNode): string[] => {
    if (inner.kind === 'list') return [show('list', inner), ...inner.items.flatMap(walk)]
    if (inner.kind !== 'object') return [show(inner.kind, inner)]
    const members = inner.members.flatMap((one) => [show(one.key, one), ...walk(one.value)])
    return [show('object', inner), ...members]
  }
  return walk(node)
    .filter((line) => line !== 'object 1:1')
    .toSorted()
}

test('reads labels as objects in objects, and keeps repeated blocks', () => {
  expect(plain(read('P "a" { x = 1 }\nP "b" "c" { }\nP { "d" = {} }'))).toEqual({
    P: [{ a: { x: '1' } }, { b: { c: {} } }, { d: {} }],
  })
})

test('refuses more levels than it can bear, and takes as many as it says', () => {
  expect(plain(read(`a = ${'['.repeat(32)}${']'.repeat(32)}`))).toBeDefined()
  const tooMany = ['a = '.concat('['.repeat(33)), 'a { '.repeat(33), 'a '.repeat(40)]
  for (const text of tooMany) expect(refusalOf(() => read(text))).toContain('nested too deeply')
})

test.for(HCL_BODIES)('judges the syntax of %s like SPIRE', ([, body, verdict]) => {
  const text = `server {\n${body}\n}`
  if (verdict === 'refused') expect(refusalOf(() => read(text))).toMatch(/^x\.conf:\d+:\d+: /)
  else expect(read(text).kind).toBe('object')
})

test('reads back every tree that is written as HCL', () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      expect(plain(read(print(tree, true)))).toEqual(tree)
    }),
    { numRuns: 200 },
  )
})

function print(tree: Plain, top = false): string {
  if (typeof tree === 'boolean') return String(tree)
  if (typeof tree === 'string') return quote(tree)
  if (Array.isArray(tree)) return `[${tree.map((item) => print(item)).join(', ')}]`
  const members = Object.entries(tree).map(([key, value]) => `${quote(key)} = ${print(value)}`)
  return top ? members.join('\n') : `{ ${members.join('\n')} }`
}

/** Every character as an escape, which also leaves no `${` to be kept. */
function quote(text: string): string {
  const escapes = [...text].map((char) => {
    const code = char.codePointAt(0) ?? 0
    return `\\U${code.toString(16).padStart(8, '0')}`
  })
  return `"${escapes.join('')}"`
}

const pieces = fc.constantFrom(
  ...['a', '=', '{', '}', '[', ']', ',', '"', '\\', '${', '<<A\n', 'A\n', '<<-A\n', '\n', ' ', '#'],
  ...[
    '//',
    '/*',
    '*/',
    '1',
    '0x',
    '.5',
    '-',
    'true',
    '\u00e9',
    '\u0000',
    '\ud800',
    'e+',
    '\\u',
    '"x"',
  ],
)

test('throws nothing but CONFIG_INVALID, whatever the text', () => {
  const texts = fc.oneof(
    anyText({ maxLength: 60 }),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        expect(read(text).kind).toBe('object')
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
        expect(error).toHaveProperty('code', 'CONFIG_INVALID')
      }
    }),
    { numRuns: 1000 },
  )
})
