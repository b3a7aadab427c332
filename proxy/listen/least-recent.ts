/** Things that are made when they are first asked for and given up, the least recently asked for first, beyond a bound. */

export interface LeastRecent<T> {
  /** @param make called when there is none of that key */
  at(key: string, make: () => T): T
  values(): Iterable<T>
}

/** @param drop told of what is given up */
export function leastRecent<T>(max: number, drop: (value: T) => void): LeastRecent<T> {
  /** In the order of their last use. */
  const kept = new Map<string, T>()
  return {
    at(key, make) {
      const value = kept.get(key) ?? make()
      kept.delete(key)
      kept.set(key, value)
      const [oldest] = kept
      if (kept.size > max && oldest !== undefined) {
        kept.delete(oldest[0])
        drop(oldest[1])
      }
      return value
    },
    values: () => kept.values(),
  }
}
