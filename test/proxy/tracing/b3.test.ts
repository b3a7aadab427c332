import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readB3, writeB3 } from '../../../proxy/tracing/b3.ts'

const LONG = '80f198ee56343ba864fe8b2a57d3eff7'
const SHORT = 'a3ce929d0e0e4736'
const SPAN = 'e457b5a2e4d86bd1'

const headOf = (headers: Record<string, string | readonly string[]>) => ({
  headerLines: (name: string) => [headers[name] ?? []].flat(),
})
const read = (headers: Record<string, string | readonly string[]>) => readB3(headOf(headers))

test.each([
  [`${LONG}-${SPAN}-1`, { traceId: LONG, decision: 'kept' }],
  [`${LONG}-${SPAN}-0`, { traceId: LONG, decision: 'dropped' }],
  [`${LONG}-${SPAN}-d-${SHORT}`, { traceId: LONG, decision: 'debug' }],
  [`${LONG}-${SPAN}`, { traceId: LONG, decision: undefined }],
  [`${SHORT}-${SPAN}-1`, { traceId: `0000000000000000${SHORT}`, decision: 'kept' }],
])('reads the single line %s', (line, { traceId, decision }) => {
  expect(read({ b3: line })).toMatchObject({
    ...{ form: 'single', decision, caller: { traceId, spanId: SPAN } },
  })
})

test.each([
  ['0', 'dropped'],
  ['1', 'kept'],
  ['d', 'debug'],
])('the single line %s is a decision alone', (b3, decision) => {
  expect(read({ b3 })).toEqual({ form: 'single', caller: undefined, decision })
})

test('reads the headers, and what old callers write for a decision', () => {
  const ids = { 'x-b3-traceid': LONG, 'x-b3-spanid': SPAN }
  const caller = { sentTraceId: LONG, traceId: LONG, spanId: SPAN }
  const form = 'multiple'
  expect(read(ids)).toEqual({ form, caller, decision: undefined })
  for (const [sent, decision] of [
    ...[['1', 'kept'] as const, ['true', 'kept'] as const],
    ...[['0', 'dropped'] as const, ['false', 'dropped'] as const, ['maybe', undefined] as const],
  ]) {
    expect(read({ ...ids, 'x-b3-sampled': sent })).toEqual({ form, caller, decision })
  }
  expect(read({ ...ids, 'x-b3-sampled': '0', 'x-b3-flags': '1' })?.decision).toBe('debug')
  expect(read({ 'x-b3-sampled': '0' })).toEqual({ form, caller: undefined, decision: 'dropped' })
})

test('the single line counts where both came', () => {
  const others = { 'x-b3-traceid': SHORT.padStart(32, '1'), 'x-b3-spanid': SHORT }
  expect(read({ b3: `${LONG}-${SPAN}-1`, ...others })?.caller?.traceId).toBe(LONG)
  expect(read({ b3: 'broken', ...others })?.form).toBe('multiple')
})

test.each([
  ['an empty line', { b3: '' }],
  ['a trace alone', { b3: LONG }],
  ['a trace of 24 digits', { b3: `${LONG.slice(0, 24)}-${SPAN}-1` }],
  ['a trace of zeros', { b3: `${'0'.repeat(32)}-${SPAN}-1` }],
  ['a span of zeros', { b3: `${LONG}-${'0'.repeat(16)}-1` }],
  ['a decision of two digits', { b3: `${LONG}-${SPAN}-11` }],
  ['an empty decision', { b3: `${LONG}-${SPAN}-` }],
  ['a parent that is no span', { b3: `${LONG}-${SPAN}-1-x` }],
  ['more than four parts', { b3: `${LONG}-${SPAN}-1-${SHORT}-` }],
  ['upper case', { b3: `${LONG.toUpperCase()}-${SPAN}-1` }],
  ['two lines', { b3: ['1', '1'] }],
  ['a trace without a span', { 'x-b3-traceid': LONG }],
  ['a span twice', { 'x-b3-traceid': LONG, 'x-b3-spanid': [SPAN, SPAN] }],
])('%s counts as none', (_, headers) => {
  expect(read(headers)).toBeUndefined()
})

const hex = (...digits: number[]) =>
  fc
    .oneof(
      ...digits.map((length) =>
        fc.string({
          unit: fc.constantFrom(...'0123456789abcdef'),
          ...{ minLength: length, maxLength: length },
        }),
      ),
    )
    .filter((text) => !/^0+$/.test(text))

test('what is handed on is read again: the same trace and decision, our span', () => {
  const decisions = fc.constantFrom('kept', 'debug', undefined)
  fc.assert(
    fc.property(
      hex(16, 32),
      hex(16),
      hex(16),
      decisions,
      fc.constantFrom('single', 'multiple'),
      (sentTraceId, callers, ours, decision, form) => {
        const traceId = sentTraceId.padStart(32, '0')
        const caller = { sentTraceId, traceId, spanId: callers }
        const lines = writeB3(
          { form, caller, decision },
          { traceId, spanId: ours, isSampled: true },
        )
        expect(read(Object.fromEntries(lines))).toEqual({
          ...{ form, caller: { sentTraceId, traceId, spanId: ours } },
          decision: decision ?? 'kept',
        })
      },
    ),
  )
})

test('no line makes it throw, and none brings an ID of another shape', () => {
  const part = fc.oneof(fc.constantFrom(LONG, SHORT, SPAN, '1', 'd', '', '0'), fc.string())
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const { caller } = read({ b3: parts.join('-') }) ?? {}
      if (caller === undefined) return
      expect(caller.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(caller.spanId).toMatch(/^[0-9a-f]{16}$/)
    }),
  )
})
