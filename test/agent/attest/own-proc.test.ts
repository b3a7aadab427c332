import { readlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requireOwnProc } from '../../../agent/attest/own-proc.ts'

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) })

test('the /proc of this process is its own', () => {
  expect(() => requireOwnProc()).not.toThrow()
  expect(readlinkSync('/proc/self')).toBe(String(process.pid))
})

test.for([
  ['another number', (): string => '1', /has number 1, and it has \d+/],
  ['the number with something behind it', (): string => `${process.pid}0`, /another PID namespace/],
  ['nothing', (): string => '', /has number , and/],
] as const)('a /proc that says %s of this process is refused', ([, readSelf, message]) => {
  expect(() => requireOwnProc(readSelf)).toThrow(refusal(message))
})

test('a /proc in which this process is not to be seen is refused', () => {
  const readSelf = () => {
    throw new Error('ENOENT')
  }
  expect(() => requireOwnProc(readSelf)).toThrow(refusal(/says nothing of this process/))
})
