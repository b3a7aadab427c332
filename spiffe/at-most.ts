/** Works of a kind that run at once: the others wait for their turn, in the order in which they came. */

/** @returns what runs a work as soon as fewer than `limit` are running. Who waits is bounded by whoever calls. */
export function atMost(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const line: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= limit) await new Promise<void>((go) => line.push(go))
    else running += 1
    try {
      return await work()
    } finally {
      // Whoever comes next takes over this place, so that nobody slips in between.
      const next = line.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
