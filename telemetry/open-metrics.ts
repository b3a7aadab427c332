/**
 * Metrics in the form that Prometheus fetches. Apart from `metrics`, because a process that nobody measures starts sooner without
 * the library.
 *
 * @see SPIRE behaviour §9 — telemetry
 */
import { Counter, collectDefaultMetrics, Gauge, Registry, Summary } from 'prom-client'
import type { Clock } from '../spiffe/clock.ts'
import { type Labels, type Metrics, statusName } from './metrics.ts'

export interface MetricsOptions {
  readonly prefix: string
  /** On every series. */
  readonly labels: Labels
  readonly clock: Clock
}

export interface OpenMetrics extends Metrics {
  /** What Prometheus reads. */
  text(): Promise<string>
  readonly contentType: string
}

/** SPIRE's quantiles, over the last ten seconds. */
const QUANTILES = [0.5, 0.9, 0.99]
const MAX_AGE_SECONDS = 10
const AGE_BUCKETS = 5

export function openMetrics({ prefix, labels: always, clock }: MetricsOptions): OpenMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registry.setDefaultLabels({ ...always })
  const known = new Map<string, Counter | Gauge | Summary>()
  return {
    ...metricsIn({ registry, known, prefix: `${prefix}_`, clock }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

interface MetricsIn {
  readonly registry: Registry
  /** By their full names. */
  readonly known: Map<string, Counter | Gauge | Summary>
  readonly prefix: string
  readonly clock: Clock
}

function metricsIn({ registry, known, prefix, clock }: MetricsIn): Metrics {
  const named = <M extends Counter | Gauge | Summary>(
    name: string,
    kind: abstract new (...args: never) => M,
    make: (name: string) => M,
  ): M => {
    const full = prefix + name
    const found = known.get(full)
    if (found instanceof kind) return found
    if (found !== undefined) throw new Error(`the metric ${full} has another kind already`)
    const made = make(full)
    known.set(full, made)
    return made
  }
  const common = (name: string, labels: Labels) => ({
    name,
    help: name,
    labelNames: Object.keys(labels),
    registers: [registry],
  })
  const counter = (name: string, labels: Labels) =>
    named(name, Counter, (full) => new Counter(common(full, labels)))
  const summary = (name: string, labels: Labels) =>
    named(name, Summary, (full) => {
      const window = { maxAgeSeconds: MAX_AGE_SECONDS, ageBuckets: AGE_BUCKETS }
      return new Summary({ ...common(full, labels), percentiles: QUANTILES, ...window })
    })
  const call: Metrics['call'] = (name, labels = {}) => {
    const begin = clock.now().getTime()
    return (error) => {
      const ended = { ...labels, status: statusName(error) }
      counter(name, ended).inc(ended)
      const elapsedMs = Math.max(0, clock.now().getTime() - begin)
      summary(`${name}_elapsed_time`, ended).observe(ended, elapsedMs)
    }
  }
  return {
    count: (name, labels = {}, by = 1) => counter(name, labels).inc(labels, by),
    gauge(name, read, labels = {}) {
      named(name, Gauge, (full) => {
        const collect = function (this: Gauge) {
          this.set(labels, read())
        }
        return new Gauge({ ...common(full, labels), collect })
      })
    },
    add: (name, difference) =>
      named(name, Gauge, (full) => new Gauge(common(full, {}))).inc(difference),
    sample: (name, value) => summary(name, {}).observe(value),
    call,
    async measure(name, work, labels) {
      const end = call(name, labels)
      try {
        const done = await work()
        end()
        return done
      } catch (error) {
        end(error)
        throw error
      }
    },
    unprefixed: () => metricsIn({ registry, known, prefix: '', clock }),
  }
}
