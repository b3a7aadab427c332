/** What benchmarks print of a list of measurements. */

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

export function inMs({ count, p50, p99, max }: Spread): string {
  const ms = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`
  return `p50 ${ms(p50)}, p99 ${ms(p99)}, worst ${ms(max)} of ${count}`
}
