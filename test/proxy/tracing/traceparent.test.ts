import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  readTraceparent,
  readTracestate,
  writeTraceparent,
} from '../../../proxy/tracing/traceparent.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

const hex = (digits: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })
    .filter((text) => !/^0+$/.test(text))

test('reads version 00: the trace, the caller’s span and whether it is kept', () => {
  expect(readTraceparent([`00-${TRACE}-${SPAN}-01`])).toEqual({
    ...{ traceId: TRACE, spanId: SPAN, isSampled: true, flags: 1 },
  })
  expect(readTraceparent([`00-${TRACE}-${SPAN}-00`])).toMatchObject({ isSampled: false })
})

test('knows the bits for kept and random, and lets no other go on', () => {
  expect(readTraceparent([`00-${TRACE}-${SPAN}-ff`])).toMatchObject({ isSampled: true, flags: 3 })
  expect(readTraceparent([`00-${TRACE}-${SPAN}-fc`])).toMatchObject({ isSampled: false, flags: 0 })
  expect(writeTraceparent({ traceId: TRACE, spanId: SPAN }, true, 0xff)).toMatch(/-03$/)
})

test('reads what it knows of a later version, and writes its own', () => {
  for (const line of [`01-${TRACE}-${SPAN}-01`, `fe-${TRACE}-${SPAN}-01-what-the-future-brings`]) {
    const read = readTraceparent([line])
    expect(read).toMatchObject({ traceId: TRACE, spanId: SPAN, isSampled: true })
    expect(read && writeTraceparent(read, read.isSampled, read.flags)).toBe(
      `00-${TRACE}-${SPAN}-01`,
    )
  }
})

test.each([
  ['no line', []],
  ['an empty one', ['']],
  ['two lines, of which nobody knows which is meant', [KEPT(), KEPT()]],
  ['two in one line', [`${KEPT()},${KEPT()}`]],
  ['§3.2.2.1 version ff', [`ff-${TRACE}-${SPAN}-01`]],
  ['version 00 with more behind it', [`00-${TRACE}-${SPAN}-01-a`]],
  ['a later version that goes on without a dash', [`01-${TRACE}-${SPAN}-01a`]],
  ['§3.2.2.3 a trace of zeros', [`00-${'0'.repeat(32)}-${SPAN}-01`]],
  ['§3.2.2.4 a span of zeros', [`00-${TRACE}-${'0'.repeat(16)}-01`]],
  ['upper case', [`00-${TRACE.toUpperCase()}-${SPAN}-01`]],
  ['a short trace', [`00-${TRACE.slice(1)}-${SPAN}-01`]],
  ['a long span', [`00-${TRACE}-${SPAN}0-01`]],
  ['flags of one digit', [`00-${TRACE}-${SPAN}-1`]],
  ['a line break behind it', [`00-${TRACE}-${SPAN}-01\n`]],
  ['a later version without end', [`01-${TRACE}-${SPAN}-01-${'a'.repeat(300)}`]],
])('%s counts as none', (_, lines) => {
  expect(readTraceparent(lines)).toBeUndefined()
})

function KEPT() {
  return `00-${TRACE}-${SPAN}-01`
}

test('what is written is read again, whatever the IDs', () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
      expect(readTraceparent([writeTraceparent({ traceId, spanId }, isSampled)])).toMatchObject({
        ...{ traceId, spanId, isSampled },
      })
    }),
  )
})

test('no line makes it throw, and none brings an ID of another shape', () => {
  const nearly = fc
    .tuple(fc.nat({ max: 60 }), fc.string({ maxLength: 3 }))
    .map(([at, text]) => KEPT().slice(0, at) + text + KEPT().slice(at + text.length))
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string()), (line) => {
      const read = readTraceparent([line])
      if (read === undefined) return
      expect(read.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(read.spanId).toMatch(/^[0-9a-f]{16}$/)
    }),
  )
})

test('a state goes with the span as long as it may, in one line', () => {
  expect(readTracestate(['a=1', 'b=2'])).toBe('a=1,b=2')
  expect(readTracestate([])).toBeUndefined()
  expect(readTracestate(['a'.repeat(513)])).toBeUndefined()
  expect(readTracestate(['a=\x01'])).toBeUndefined()
})
