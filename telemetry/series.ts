/**
 * Counters and histograms for hot paths, in Prometheus' text form: the labels of a series are put together once, and then
 * counting is an addition. The number of series is bounded: what comes beyond it is counted in one series of each metric
 * whose labels all say `other`, so that totals stay true.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { Labels } from './metrics.ts'

export interface Counter {
  add(amount: number): void
}

export interface Histogram {
  observe(value: number): void
}

/** @typeParam Name of the metrics that it may hold */
export interface SeriesTable<Name extends string> {
  counter(name: Name, labels: Labels): Counter
  /** @param bounds upper bounds of the buckets, ascending, without infinity; the same for all series of a name */
  histogram(name: Name, bounds: readonly number[], labels: Labels): Histogram
  text(): string
}

/** Series of one metric. */
const MAX_SERIES = 2_000
const OTHER = 'other'

interface Metric<S> {
  readonly kind: 'counter' | 'histogram'
  readonly series: Map<string, S>
}

interface Count extends Counter {
  readonly labels: string
  readonly total: () => number
}

interface Buckets extends Histogram {
  readonly labels: string
  readonly lines: (name: string) => string
}

/** What each metric counts, in a sentence on one line. */
type Help<Name extends string> = Readonly<Record<Name, string>>

/** @param help of every metric that it may hold */
export function createSeriesTable<Name extends string>(help: Help<Name>): SeriesTable<Name> {
  const counters = new Map<Name, Metric<Count>>()
  const histograms = new Map<Name, Metric<Buckets>>()
  const find = <S>(
    metrics: Map<Name, Metric<S>>,
    kind: Metric<S>['kind'],
    name: Name,
    labels: Labels,
    make: (labels: string) => S,
  ): S => {
    let metric = metrics.get(name)
    if (metric === undefined) {
      metric = { kind, series: new Map() }
      metrics.set(name, metric)
    }
    const written = writtenOnce(labels)
    const known = metric.series.get(written)
    if (known !== undefined) return known
    const isFull = metric.series.size >= MAX_SERIES
    const key = isFull ? writeLabels(othersOf(labels)) : written
    const found = metric.series.get(key) ?? make(key)
    metric.series.set(key, found)
    return found
  }
  return {
    counter: (name, labels) => find(counters, 'counter', name, labels, newCount),
    histogram: (name, bounds, labels) =>
      find(histograms, 'histogram', name, labels, (written) => newBuckets(bounds, written)),
    text: () => textOf(help, counters, histograms),
  }
}

/** A gauge whose values are read now: nothing of it is kept. @param help a sentence on one line */
export function gaugeText(
  name: string,
  help: string,
  series: readonly { readonly labels: Labels; readonly value: number }[],
): string {
  if (series.length === 0) return ''
  const lines = series.map(({ labels, value }) => `${name}{${writeLabels(labels)}} ${value}\n`)
  return headOf(name, help, 'gauge') + lines.join('')
}

const headOf = (name: string, help: string, kind: 'counter' | 'gauge' | 'histogram'): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`

function textOf<Name extends string>(
  help: Help<Name>,
  counters: ReadonlyMap<Name, Metric<Count>>,
  histograms: ReadonlyMap<Name, Metric<Buckets>>,
): string {
  const parts: string[] = []
  for (const [name, { series }] of counters) {
    parts.push(headOf(name, help[name], 'counter'))
    for (const { labels, total } of series.values()) parts.push(`${name}{${labels}} ${total()}\n`)
  }
  for (const [name, { series }] of histograms) {
    parts.push(headOf(name, help[name], 'histogram'))
    for (const { lines } of series.values()) parts.push(lines(name))
  }
  return parts.join('')
}

function newCount(labels: string): Count {
  let total = 0
  return {
    labels,
    add(amount) {
      total += amount
    },
    total: () => total,
  }
}

function newBuckets(bounds: readonly number[], labels: string): Buckets {
  const counts = new Float64Array(bounds.length + 1)
  let sum = 0
  return {
    labels,
    observe(value) {
      let at = 0
      while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1
      counts[at] = (counts[at] ?? 0) + 1
      sum += value
    },
    lines(name) {
      let total = 0
      const separator = labels === '' ? '' : ','
      const buckets = [...counts].map((count, at) => {
        total += count
        const bound = bounds[at] ?? '+Inf'
        return `${name}_bucket{${labels}${separator}le="${bound}"} ${total}\n`
      })
      return `${buckets.join('')}${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${total}\n`
    },
  }
}

/** Several metrics of one connection have the same labels. */
const texts = new WeakMap<Labels, string>()

function writtenOnce(labels: Labels): string {
  const known = texts.get(labels) ?? writeLabels(labels)
  texts.set(labels, known)
  return known
}

function writeLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',')
}

function othersOf(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, OTHER]))
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value
}
