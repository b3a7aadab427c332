/** A workload at the agent's socket that writes down each set of SVIDs it is served, and is there again after each kill. */
import { credentials } from '@grpc/grpc-js'
import type { X509SVIDResponse } from '../../proto/gen/X509SVIDResponse.ts'
import { workloadApi } from '../../proto/load.ts'
import { createBell } from '../../spiffe/bell.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { securityHeader } from '../../workload/workload-client.ts'

export interface Workload {
  /** Paths of the SPIFFE IDs that were served last; undefined: none by the agent that is up now. */
  served(): ReadonlySet<string> | undefined
  /** Resolves as soon as what is served satisfies `isSo`. @throws Error when that does not come to be within `PATIENCE_MS` */
  when(what: string, isSo: (served: ReadonlySet<string>) => boolean): Promise<ReadonlySet<string>>
}

const PATIENCE_MS = 180_000
const RETRY_MS = 50
const PREFIX = 'spiffe://example.org'

/** Runs until the signal aborts. */
export function followWorkload(socket: string, signal: AbortSignal): Workload {
  let served: ReadonlySet<string> | undefined
  const bell = createBell()
  const follow = async () => {
    while (!signal.aborted) {
      const client = new (workloadApi())(`unix:${socket}`, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      })
      const stream = client.FetchX509SVID({}, securityHeader())
      const cancel = () => stream.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        // Cast: grpc-js types its streams as streams of anything.
        for await (const { svids } of stream as AsyncIterable<X509SVIDResponse>) {
          served = new Set(svids.map(({ spiffe_id: id }) => id.slice(PREFIX.length)))
          bell.ring()
        }
      } catch {
        // The agent is gone, or has nothing for us yet: asked again.
      } finally {
        signal.removeEventListener('abort', cancel)
        client.close()
      }
      served = undefined
      bell.ring()
      await systemClock.sleep(RETRY_MS, signal)
    }
  }
  void follow()
  return {
    served: () => served,
    async when(what, isSo) {
      const giveUpAt = systemClock.now().getTime() + PATIENCE_MS
      for (;;) {
        bell.reset()
        if (served !== undefined && isSo(served)) return served
        const leftMs = giveUpAt - systemClock.now().getTime()
        if (leftMs <= 0 || signal.aborted) {
          throw new Error(`${what} did not come; served was ${[...(served ?? [])].join(' ')}`)
        }
        await systemClock.sleep(leftMs, AbortSignal.any([signal, bell.signal()]))
      }
    },
  }
}
