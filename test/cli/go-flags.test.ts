/** The syntax of flags, as Go reads it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FlagShape, parseGoFlags, parseWordsAndFlags } from '../../cli/go-flags.ts'

const SHAPES: Readonly<Record<string, FlagShape>> = { name: 'value', other: 'value', on: 'boolean' }
const shapeOf = (name: string) => (Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined)
const parse = (...args: readonly string[]) => parseGoFlags(args, shapeOf)

test.for([
  ['a value after the flag', ['-name', 'x'], [['name', 'x']], []],
  ['a value after an equals sign', ['-name=x'], [['name', 'x']], []],
  ['two dashes', ['--name', 'x'], [['name', 'x']], []],
  ['an empty value', ['-name='], [['name', '']], []],
  ['a value with an equals sign', ['-name=a=b'], [['name', 'a=b']], []],
  ['a value that looks like a flag', ['-name', '-on'], [['name', '-on']], []],
  ['a value that is two dashes', ['-name', '--'], [['name', '--']], []],
  ['a boolean alone', ['-on'], [['on', 'true']], []],
  ['a boolean with its value', ['-on=false'], [['on', 'false']], []],
  ['a boolean that does not take the next word', ['-on', 'false'], [['on', 'true']], ['false']],
  [
    'a flag again',
    ['-name=1', '-name=2'],
    [
      ['name', '1'],
      ['name', '2'],
    ],
    [],
  ],
  ['the end of flags at two dashes', ['-on', '--', '-name=x'], [['on', 'true']], ['-name=x']],
  ['the end of flags at a word', ['-on', 'word', '-name=x'], [['on', 'true']], ['word', '-name=x']],
  ['a single dash as a word', ['-', '-on'], [], ['-', '-on']],
  ['an empty word as a word', ['', '-on'], [], ['', '-on']],
] as const)('reads %s', ([, args, given, rest]) => {
  expect(parse(...args)).toMatchObject({
    given: given.map(([name, value]) => ({ name, value })),
    rest,
    mistake: undefined,
  })
})

test.for([
  ['a flag nobody has', ['-nope'], { kind: 'unknown', name: 'nope' }],
  ['a flag in another case', ['-Name=x'], { kind: 'unknown', name: 'Name' }],
  ['a name of every object', ['-toString'], { kind: 'unknown', name: 'toString' }],
  ['a value that is missing', ['-on', '-name'], { kind: 'value missing', name: 'name' }],
  ['three dashes', ['---name=x'], { kind: 'syntax', word: '---name=x' }],
  ['no name', ['-=x'], { kind: 'syntax', word: '-=x' }],
  ['no name after two dashes', ['--=x'], { kind: 'syntax', word: '--=x' }],
] as const)('stops at %s', ([, args, mistake]) => {
  expect(parse(...args).mistake).toEqual(mistake)
})

test('keeps what came before a mistake, so that an earlier wrong value is told first', () => {
  expect(parse('-name', 'x', '-nope', '-other', 'y').given).toEqual([{ name: 'name', value: 'x' }])
})

test('reads back whatever is written with an equals sign', () => {
  const flag = fc.record({ name: fc.constantFrom('name', 'other', 'on'), value: fc.string() })
  fc.assert(
    fc.property(fc.array(flag), fc.array(fc.string()), (flags, rest) => {
      const words = flags.map(({ name, value }) => `-${name}=${value}`)
      expect(parse(...words, '--', ...rest)).toEqual({
        given: flags,
        rest,
        mistake: undefined,
        isClosed: true,
      })
    }),
  )
})

test('never loses a word: flags, rest and a mistake account for all of them', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('-name', '-on', '--', '-on=1', '-x', 'w'))
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const { given, rest, mistake } = parse(...words)
      expect(words.slice(words.length - rest.length)).toEqual(rest)
      expect(given.length).toBeLessThanOrEqual(words.length)
      if (mistake === undefined && rest.length === 0) return
      expect(given.length).toBeLessThan(words.length)
    }),
  )
})

test.for([
  ['flags after a word', ['file', '-on', '-name', 'x'], ['on', 'name'], ['file']],
  ['flags between words', ['a', '-name=x', 'b', '-on'], ['name', 'on'], ['a', 'b']],
  ['standard input as a word', ['-on', '-', '-name', 'x'], ['on', 'name'], ['-']],
  ['words after two dashes', ['a', '-on', '--', '-name', 'x'], ['on'], ['a', '-name', 'x']],
  ['nothing at all', [], [], []],
] as const)('where a command takes words, reads %s', ([, args, names, rest]) => {
  const read = parseWordsAndFlags(args, shapeOf)
  expect(read.given.map(({ name }) => name)).toEqual(names)
  expect([read.rest, read.mistake]).toEqual([rest, undefined])
})

test('where a command takes words, a mistake after one of them is still told', () => {
  const read = parseWordsAndFlags(['file', '-on', '-nope', 'x'], shapeOf)
  expect(read.mistake).toEqual({ kind: 'unknown', name: 'nope' })
})

test('where a command takes words, reads all flags before and after any words', () => {
  const flag = fc.record({ name: fc.constantFrom('name', 'other', 'on'), value: fc.string() })
  const word = fc.string().filter((text) => text.length < 2 || !text.startsWith('-'))
  const part = fc.oneof(
    flag.map((one) => ({ flag: one, word: undefined })),
    word.map((one) => ({ flag: undefined, word: one })),
  )
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const args = parts.map(({ flag, word }) =>
        flag === undefined ? word : `-${flag.name}=${flag.value}`,
      )
      const { given, rest, mistake } = parseWordsAndFlags(args, shapeOf)
      expect(given).toEqual(parts.flatMap(({ flag }) => flag ?? []))
      expect(rest).toEqual(parts.flatMap(({ word }) => word ?? []))
      expect(mistake).toBeUndefined()
    }),
  )
})
