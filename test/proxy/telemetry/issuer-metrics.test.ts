import { expect, test } from 'vitest'
import { issuerMetrics } from '../../../proxy/telemetry/issuer-metrics.ts'

const now = new Date(1_000_000)
const issuer = (source: string, ageSeconds: number | undefined, problem?: string) => ({
  ...{ source, keys: 1, problem },
  fetchedAt: ageSeconds === undefined ? undefined : new Date(now.getTime() - ageSeconds * 1000),
})

const seriesOf = (text: string) => text.split('\n').filter((line) => /^[a-z]/.test(line))

test('keys grow old while their issuer is away, and the last failure is told beside them', () => {
  const text = issuerMetrics([issuer('https://a/jwks', 7.5), issuer('b', 90, 'away')], now)
  expect(seriesOf(text)).toEqual([
    'steeple_jwks_age_seconds{source="https://a/jwks"} 7.5',
    'steeple_jwks_age_seconds{source="b"} 90',
    'steeple_jwks_last_fetch_failed{source="https://a/jwks"} 0',
    'steeple_jwks_last_fetch_failed{source="b"} 1',
  ])
  expect(text).toMatch(/^# HELP steeple_jwks_age_seconds .+\.\n# TYPE \S+ gauge\n/)
})

test('keys that were never fetched have no age, which would be a lie', () => {
  const text = issuerMetrics([issuer('a', undefined, 'away')], now)
  expect(seriesOf(text)).toEqual(['steeple_jwks_last_fetch_failed{source="a"} 1'])
})

test('a clock that was set back makes no keys of the future', () => {
  expect(issuerMetrics([issuer('a', -60)], now)).toContain('{source="a"} 0\n')
})

test('a source cannot end its label', () => {
  expect(issuerMetrics([issuer('a"} 7\n', 1)], now)).toContain('{source="a\\"} 7\\n"} 1\n')
})

test('without issuers nothing is told of them', () => {
  expect(issuerMetrics([], now)).toBe('')
})
