import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_REPORT } from '../../../proxy/telemetry/traffic-report.ts'
import { mergeMetrics } from '../../../proxy/workers/merge-metrics.ts'
import { afterItsEnd, mergeReports } from '../../../proxy/workers/merge-reports.ts'
import { createSeriesTable } from '../../../telemetry/series.ts'

const sample = fc.record({
  worker: fc.nat({ max: 2 }),
  label: fc.constantFrom('plain', 'with "quotes"', 'with space', 'back\\slash', 'line\nend', '} 7'),
  amount: fc.integer({ min: 0, max: 1_000_000 }),
  isHistogram: fc.boolean(),
})

const count = (samples: readonly { label: string; amount: number; isHistogram: boolean }[]) => {
  const table = createSeriesTable({ things_total: 'Things.', sizes: 'Sizes of things.' })
  for (const { label, amount, isHistogram } of samples) {
    if (isHistogram) table.histogram('sizes', [1, 10, 1_000], { label }).observe(amount)
    else table.counter('things_total', { label }).add(amount)
  }
  return table.text()
}

const linesOf = (text: string) => text.split('\n').sort()

test('what several workers have counted adds up to what one would have counted', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 40 }), (samples) => {
      const texts = [0, 1, 2].map((n) => count(samples.filter(({ worker }) => worker === n)))
      expect(linesOf(mergeMetrics(texts))).toEqual(linesOf(count(samples)))
    }),
  )
})

test('the metrics of one worker stay as they are, and those of none are none', () => {
  const text = count([
    { label: 'a', amount: 3, isHistogram: false },
    { label: 'a', amount: 3, isHistogram: true },
  ])
  expect(mergeMetrics([text])).toBe(text)
  expect(mergeMetrics([])).toBe('')
  expect(mergeMetrics(['', text, ''])).toBe(text)
})

const at = (second: number) => new Date(second * 1000)
const caller = (sourceIp: string, connections: number, first: number, last: number) => ({
  ...{ port: 80, sourceIp, connections, refused: 0, firstSeen: at(first), lastSeen: at(last) },
})

test('a caller whom several workers have seen is one, and who called last comes first', () => {
  const one = {
    ...NO_REPORT,
    plaintext: [caller('10.0.0.1', 2, 5, 9), caller('10.0.0.2', 1, 8, 8)],
  }
  const other = { ...NO_REPORT, plaintext: [caller('10.0.0.1', 3, 1, 7)], forgotten: 4 }
  const { plaintext, forgotten } = mergeReports([one, other])
  expect(plaintext).toEqual([caller('10.0.0.1', 5, 1, 9), caller('10.0.0.2', 1, 8, 8)])
  expect(forgotten).toBe(4)
})

test('refusals of several workers are added, and who was only refused is not counted as forgotten', () => {
  const refused = (sourceIp: string, n: number) => ({ ...caller(sourceIp, 0, n, n), refused: 2 })
  const plaintext = Array.from({ length: 1_001 }, (_, n) => refused(`10.0.0.${n}`, n))
  const merged = mergeReports([
    { ...NO_REPORT, plaintext },
    { ...NO_REPORT, plaintext: [refused('10.0.0.1000', 2_000)] },
  ])
  expect(merged.plaintext[0]).toMatchObject({ connections: 0, refused: 4 })
  expect([merged.plaintext.length, merged.forgotten]).toEqual([1_000, 0])
})

test('callers beyond the bound are counted as forgotten, those who called longest ago first', () => {
  const callers = (from: number) =>
    Array.from({ length: 900 }, (_, n) => caller(`10.0.${from}.${n}`, 1, n, n))
  const { plaintext, forgotten } = mergeReports([
    { ...NO_REPORT, plaintext: callers(1) },
    { ...NO_REPORT, plaintext: callers(2) },
  ])
  expect(plaintext).toHaveLength(1_000)
  expect(forgotten).toBe(800)
  expect(plaintext.at(-1)?.lastSeen).toEqual(at(400))
})

test('of an issuer the oldest keys are told, and that some worker has none', () => {
  const issuer = (fetchedAt: Date | undefined) => ({
    ...NO_REPORT,
    issuers: [{ source: 'a', fetchedAt, keys: 1, problem: undefined }],
  })
  const { issuers } = mergeReports([issuer(at(5)), issuer(undefined), issuer(at(3))])
  expect(issuers).toMatchObject([{ source: 'a', fetchedAt: undefined }])
})

test('what a lost worker had counted stays, and what it had open does not', () => {
  const report = { ...NO_REPORT, total: 2, metrics: 'a{} 1\n', dropped: 3, forgotten: 1 }
  expect(afterItsEnd(report)).toEqual({ ...report, total: 0 })
})
