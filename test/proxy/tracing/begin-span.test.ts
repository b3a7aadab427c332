import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { beginSpan } from '../../../proxy/tracing/begin-span.ts'
import { traceIds } from '../../../proxy/tracing/trace-ids.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const OTHER = '80f198ee56343ba864fe8b2a57d3eff7'
const SPAN = 'b7ad6b7169203331'
const KEPT = `00-${TRACE}-${SPAN}-01`

const begin = (headers: Record<string, string>, share = 1) =>
  beginSpan(
    { headerLines: (name) => (headers[name] === undefined ? [] : [headers[name]]) },
    { ids: traceIds(randomBytes), share },
  )
const added = (span: ReturnType<typeof begin>) => Object.fromEntries(span?.edits.add ?? [])

test('a caller’s decision holds against the dice, either way', () => {
  expect(begin({ traceparent: KEPT }, 0)).toMatchObject({
    ...{ traceId: TRACE, parentSpanId: SPAN, isSampled: true },
  })
  expect(begin({ traceparent: `00-${TRACE}-${SPAN}-00` }, 1)).toBeUndefined()
  expect(begin({ b3: `${TRACE}-${SPAN}-1` }, 0)?.isSampled).toBe(true)
  expect(begin({ b3: `${TRACE}-${SPAN}-0` }, 1)).toBeUndefined()
  expect(begin({ b3: '1' }, 0)).toMatchObject({ isSampled: true, parentSpanId: undefined })
  expect(begin({ b3: '0' }, 1)).toBeUndefined()
})

test('traceparent counts before B3, whatever B3 says', () => {
  expect(begin({ traceparent: `00-${TRACE}-${SPAN}-00`, b3: `${OTHER}-${SPAN}-1` })).toBeUndefined()
  const span = begin({ traceparent: KEPT, b3: `${OTHER}-${SPAN}-0` })
  expect(span?.traceId).toBe(TRACE)
  // Of another trace: it goes on as it came.
  expect(span?.edits.remove).toEqual(['traceparent'])
})

test('B3 of the same trace is kept in step with the traceparent', () => {
  const span = begin({ traceparent: KEPT, b3: `${TRACE}-${SPAN}-1` })
  expect(added(span)).toEqual({
    traceparent: `00-${TRACE}-${span?.spanId}-01`,
    b3: `${TRACE}-${span?.spanId}-1-${SPAN}`,
  })
})

test('a decision that B3 leaves open is made here, and told to those behind', () => {
  for (const share of [0, 1]) {
    const span = begin({ b3: `${TRACE}-${SPAN}` }, share)
    expect(span).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, isSampled: share === 1 })
    expect(added(span)).toEqual({
      traceparent: `00-${TRACE}-${span?.spanId}-0${share}`,
      b3: `${TRACE}-${span?.spanId}-${share}-${SPAN}`,
    })
  }
})

test('§4.3 a traceparent that cannot be read goes, and its state with it', () => {
  const span = begin({ traceparent: 'what?', tracestate: 'a=1' })
  expect(span).toMatchObject({ parentSpanId: undefined, traceState: undefined, isSampled: true })
  expect(span?.edits.remove).toEqual(['traceparent', 'tracestate'])
  expect(added(span)).toEqual({ traceparent: `00-${span?.traceId}-${span?.spanId}-01` })
})

test('the share of the traces that begin here is kept, and all others are told to be not', () => {
  const few = Array.from({ length: 4_000 }, () => begin({}, 0.25))
  const kept = few.filter((span) => span?.isSampled).length
  expect(kept).toBeGreaterThan(800)
  expect(kept).toBeLessThan(1_200)
  expect(few.every((span) => span?.edits.add.length === 1)).toBe(true)
  expect(new Set(few.map((span) => span?.traceId)).size).toBe(few.length)
})

test('an ID is never all zero, for that says that there is none', () => {
  const ids = traceIds((size) => Buffer.alloc(size))
  expect(ids.traceId()).toBe(`${'0'.repeat(31)}1`)
  expect(ids.spanId()).toBe('0000000000000001')
  expect(ids.chance()).toBe(0)
})

test('the dice never show 1, so that a share of all is all', () => {
  expect(traceIds((size) => Buffer.alloc(size, 0xff)).chance()).toBeLessThan(1)
})
