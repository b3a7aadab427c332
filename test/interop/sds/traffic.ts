/** Constant requests by way of an Envoy, and every one that failed. */
import { get } from './envoy.ts'

export interface Traffic extends AsyncDisposable {
  /** Answered with 200 so far. */
  served(): number
  /** What came instead. */
  readonly failures: readonly string[]
}

const MAX_FAILURES_KEPT = 20

/** One request after the other at each of the paths, until it is disposed of. */
export function sendTraffic(port: number, paths: readonly string[]): Traffic {
  const failures: string[] = []
  const stop = new AbortController()
  let served = 0
  const send = async (path: string) => {
    while (!stop.signal.aborted) {
      const answer = await get(port, path).catch((error) => ({ status: 0, body: String(error) }))
      if (answer.status === 200) served += 1
      else if (failures.length < MAX_FAILURES_KEPT)
        failures.push(`${path}: ${answer.status} ${answer.body}`)
    }
  }
  const sending = Promise.all(paths.map(send))
  return {
    served: () => served,
    failures,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await sending
    },
  }
}
