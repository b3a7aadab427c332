/** Values of flags, with the words in which Go refuses them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Flag } from '../../../cli/flag/flag.ts'
import {
  boolean,
  commaList,
  duration,
  filter,
  integer,
  list,
  outputFormat,
  text,
  timeout,
} from '../../../cli/flag/kinds.ts'

const read = <T>(flag: Flag<T>, ...texts: readonly string[]): T =>
  texts.reduce((previous, given) => flag.read(given, previous), flag.initial)

test.for([
  ['0', 0],
  ['-5', -5],
  ['+5', 5],
  ['600', 600],
  ['1_000', 1000],
  ['0x10', 16],
  ['0X1f', 31],
  ['0b101', 5],
  ['0o17', 15],
  ['017', 15],
  ['00', 0],
] as const)('reads the integer %s as %i', ([given, value]) => {
  expect(read(integer(''), given)).toBe(value)
})

test.for([
  ['', 'parse error'],
  ['abc', 'parse error'],
  ['08', 'parse error'],
  ['1.5', 'parse error'],
  ['1e3', 'parse error'],
  [' 1', 'parse error'],
  ['_1', 'parse error'],
  ['1_', 'parse error'],
  ['1__0', 'parse error'],
  ['0x', 'parse error'],
  ['0b2', 'parse error'],
  ['--1', 'parse error'],
  ['9999999999999999999999', 'value out of range'],
  ['0xffffffffffffffffff', 'value out of range'],
] as const)('refuses the integer "%s": %s', ([given, why]) => {
  expect(() => read(integer(''), given)).toThrow(why)
})

test('reads every safe integer that is written in decimal', () => {
  fc.assert(fc.property(fc.maxSafeInteger(), (n) => read(integer(''), String(n)) === n))
})

test.for(['1', 't', 'T', 'TRUE', 'true', 'True'])('takes %s for true', (given) => {
  expect([read(boolean(''), given), read(filter(''), given)]).toEqual([true, true])
})

test.for(['0', 'f', 'F', 'FALSE', 'false', 'False'])('takes %s for false', (given) => {
  expect([read(boolean(''), given), read(filter(''), given)]).toEqual([false, false])
})

test.for(['', 'maybe', 'yes', 'tRUE', ' true'])('takes "%s" for no boolean', (given) => {
  expect(() => read(boolean(''), given)).toThrow('parse error')
  expect(read(filter(''), given)).toBeUndefined()
})

test('adds up a list and replaces a list between commas', () => {
  expect(read(list(''), 'a,b', 'c')).toEqual(['a,b', 'c'])
  expect(read(commaList(''), 'a,b', 'c')).toEqual(['c'])
  expect(read(commaList(''), 'a,b')).toEqual(['a', 'b'])
  expect(read(text(''), 'a', 'b')).toBe('b')
})

test('reads durations into milliseconds', () => {
  expect(read(duration(''), '1h30m')).toBe(5_400_000)
  expect(read(duration(''), '-1s')).toBe(-1_000)
  expect(read(timeout('', '5s'))).toBe(5_000)
})

test.for([
  ['nonsense', 'time: invalid duration "nonsense"'],
  ['5', 'time: missing unit in duration "5"'],
  ['', 'time: invalid duration ""'],
] as const)('refuses the duration "%s", for a timeout with the reason', ([given, why]) => {
  expect(() => read(duration(''), given)).toThrow('parse error')
  expect(() => read(timeout('', '5s'), given)).toThrow(why)
})

test('takes an output format in any case, and again when it is the same', () => {
  expect(read(outputFormat(''), 'JSON', 'json')).toBe('json')
})

test.for([
  [['nonsense'], 'bad formatter flag: unknown format option: "nonsense"'],
  [[''], 'bad formatter flag: unknown format option: ""'],
  [['json', 'pretty'], 'the output format has already been set to "json"'],
] as const)('refuses the output formats %j', ([given, why]) => {
  expect(() => read(outputFormat(''), ...given)).toThrow(why)
})
