import { expect, test } from 'vitest'
import {
  EVERY_MS,
  FLUSH_MS,
  MAX_BATCH_SPANS,
  MAX_WAITING_SPANS,
  openSpanExport,
} from '../../../proxy/tracing/export-spans.ts'
import type { Posted } from '../../../proxy/tracing/post-spans.ts'
import type { Span } from '../../../proxy/tracing/span.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { spansIn } from './collector.ts'

const span: Span = {
  ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
  ...{ parentSpanId: undefined, traceState: undefined, service: 'web.shop', name: 'GET' },
  ...{ kind: 'client', startedAt: new Date(0), durationMs: 1.5, attributes: {} },
  failure: undefined,
}
const TAKEN: Posted = { kind: 'taken', answer: '{}' }
const AWAY: Posted = { kind: 'away', reason: 'connect ECONNREFUSED' }

/** A collector that answers as the test says, at once unless it says nothing. */
function start(answers: readonly (Posted | 'never')[] = []) {
  const clock = new FakeClock()
  const { log, lines } = memoryLog()
  const counts = { exported: 0, dropped: 0 }
  const batches: number[] = []
  const spans = openSpanExport({
    post: async (body, signal) => {
      const answer = answers[batches.length] ?? TAKEN
      batches.push(spansIn(JSON.parse(body)).length)
      if (answer !== 'never') return answer
      return await new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'away', reason: 'too late' }))
      })
    },
    counts: {
      exported(count) {
        counts.exported += count
      },
      dropped(count) {
        counts.dropped += count
      },
    },
    ...{ clock, log },
  })
  const add = (count: number) => {
    for (let one = 0; one < count; one += 1) spans.add(span)
  }
  const messages = () => lines.map(({ msg }) => msg)
  return { clock, spans, add, batches, counts, messages }
}

const AWAY_LINE = 'The collector does not take spans'
const BACK_LINE = 'The collector takes spans again'

test('spans wait for others, for a second', async () => {
  const { clock, spans, add, batches, counts } = start()
  await clock.sleepers(1)
  add(3)
  expect(batches).toEqual([])
  clock.advance(EVERY_MS)
  await expect.poll(() => batches).toEqual([3])
  expect(counts).toEqual({ exported: 3, dropped: 0 })
  await spans[Symbol.asyncDispose]()
})

test('a batch that is full does not wait, and none is larger', async () => {
  const { clock, spans, add, batches } = start()
  await clock.sleepers(1)
  add(2 * MAX_BATCH_SPANS)
  await expect.poll(() => batches).toEqual([MAX_BATCH_SPANS, MAX_BATCH_SPANS])
  await spans[Symbol.asyncDispose]()
})

test('while the collector is away spans wait up to a bound, and the rest is dropped and counted', async () => {
  const { clock, spans, add, batches, counts, messages } = start([AWAY, AWAY])
  await clock.sleepers(1)
  add(1)
  clock.advance(EVERY_MS)
  await expect.poll(() => batches).toEqual([1])
  add(MAX_WAITING_SPANS)
  expect(counts).toEqual({ exported: 0, dropped: 1 })
  // It is not asked at once though there is a batch, and then less and less often.
  await clock.sleepers(1)
  clock.advance(EVERY_MS)
  expect(batches).toHaveLength(1)
  clock.advance(EVERY_MS)
  await expect.poll(() => batches).toHaveLength(2)
  expect(messages()).toEqual([AWAY_LINE])
  await clock.sleepers(1)
  clock.advance(4 * EVERY_MS)
  await expect.poll(() => counts.exported).toBe(MAX_WAITING_SPANS)
  expect(messages()).toEqual([AWAY_LINE, BACK_LINE])
  await spans[Symbol.asyncDispose]()
  expect(counts).toEqual({ exported: MAX_WAITING_SPANS, dropped: 1 })
})

test('what the collector will never take is dropped, so that it does not stand in the way', async () => {
  const { clock, spans, add, counts, messages } = start([{ kind: 'refused', reason: '400' }])
  await clock.sleepers(1)
  add(2)
  clock.advance(EVERY_MS)
  await expect.poll(() => counts).toEqual({ exported: 0, dropped: 2 })
  add(1)
  await spans[Symbol.asyncDispose]()
  expect(counts).toEqual({ exported: 1, dropped: 2 })
  expect(messages()).toEqual([AWAY_LINE, BACK_LINE])
})

test('spans that the collector rejects of a batch are counted as dropped', async () => {
  const answer = JSON.stringify({ partialSuccess: { rejectedSpans: '2', errorMessage: 'no' } })
  const { clock, spans, add, counts } = start([{ kind: 'taken', answer }])
  await clock.sleepers(1)
  add(3)
  await spans[Symbol.asyncDispose]()
  expect(counts).toEqual({ exported: 1, dropped: 2 })
})

test.each([
  '',
  'nonsense',
  '{"partialSuccess":{"rejectedSpans":"-1"}}',
  'null',
  '[]',
  '{"partialSuccess":{"rejectedSpans":{}}}',
])('the answer %s rejects nothing', async (answer) => {
  const { spans, add, counts } = start([{ kind: 'taken', answer }])
  add(1)
  await spans[Symbol.asyncDispose]()
  expect(counts).toEqual({ exported: 1, dropped: 0 })
})

test('at the end all that waits is brought away', async () => {
  const { spans, add, batches, counts } = start()
  add(MAX_BATCH_SPANS + 1)
  await spans[Symbol.asyncDispose]()
  expect(batches).toEqual([MAX_BATCH_SPANS, 1])
  expect(counts.exported).toBe(MAX_BATCH_SPANS + 1)
})

test('a collector that hangs holds up the end for a bounded time, and what it has not taken is dropped', async () => {
  const { clock, spans, add, counts, messages } = start(['never'])
  await clock.sleepers(1)
  add(5)
  const ended = spans[Symbol.asyncDispose]()
  await clock.sleepers(1)
  clock.advance(FLUSH_MS)
  await ended
  expect(counts).toEqual({ exported: 0, dropped: 5 })
  expect(messages()).toContain('Spans are dropped: the collector did not take them in time')
})

test('a collector that is away at the end is asked once, and not waited for', async () => {
  const { clock, spans, add, batches, counts } = start([AWAY])
  await clock.sleepers(1)
  add(1)
  await spans[Symbol.asyncDispose]()
  expect(batches).toEqual([1])
  expect(counts).toEqual({ exported: 0, dropped: 1 })
})
