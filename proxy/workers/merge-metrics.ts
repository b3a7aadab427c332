/**
 * Sums what several workers have counted, in Prometheus' text form as the table of series writes it: counters and the buckets, sums and counts
 * of histograms all add up, series by series. Pure.
 */

interface Family {
  /** What stands before the series: HELP and TYPE. */
  readonly head: readonly string[]
  readonly series: Map<string, number>
}

/** Metrics stay together, in the order in which they were first seen. */
export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, Family>()
  for (const text of texts) {
    let family: Family | undefined
    let head: string[] = []
    for (const line of text.split('\n')) {
      if (line === '') continue
      if (line.startsWith('#')) {
        if (family !== undefined) head = []
        family = undefined
        head.push(line)
        continue
      }
      family ??= familyOf(families, head)
      const gap = line.lastIndexOf(' ')
      const [name, value] = [line.slice(0, gap), Number(line.slice(gap + 1))]
      family.series.set(name, (family.series.get(name) ?? 0) + value)
    }
  }
  return [...families.values()].map(written).join('')
}

function familyOf(families: Map<string, Family>, head: readonly string[]): Family {
  const key = head.join('\n')
  const known = families.get(key) ?? { head, series: new Map<string, number>() }
  families.set(key, known)
  return known
}

function written({ head, series }: Family): string {
  const lines = [...series].map(([name, value]) => `${name} ${value}\n`)
  return [...head.map((line) => `${line}\n`), ...lines].join('')
}
