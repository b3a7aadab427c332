/**
 * The X509-SVIDs and bundles of this process, always the newest: follows the Workload API for as long as it is open.
 * What the agent withdraws is not used any more; while the agent is away the last answer stays.
 *
 * @see Workload-API §5.2.1 — FetchX509SVID, and when a client ceases to use an SVID
 */
import { IdentityError } from '../spiffe/error.ts'
import { follow } from './follow.ts'
import { createLatest, type LatestReader, opened } from './latest.ts'
import { type SourceOptions, settingsOf } from './source-options.ts'
import { readStream } from './workload-client.ts'
import {
  type HintedX509Svid,
  type PickSvid,
  readX509Response,
  type X509Context,
} from './x509-context.ts'

export interface X509SourceOptions extends SourceOptions {
  /** Chooses the default among several SVIDs; the first one when left out. */
  readonly pick?: PickSvid
}

export interface X509Source extends LatestReader<X509Context>, AsyncDisposable {
  /** @throws IdentityError NOT_FOUND when no SVID has this hint, and as `current` */
  svidFor(hint: string): HintedX509Svid
}

/**
 * Resolves with the first answer, for which it waits as long as the agent has none: `signal` ends that.
 * @throws IdentityError CONFIG_INVALID for the address, REQUEST_INVALID when the agent refuses for good
 */
export async function openX509Source(options: X509SourceOptions = {}): Promise<X509Source> {
  const { address, onFailure, clock, random } = settingsOf(options)
  const pick: PickSvid = options.pick ?? (([first]) => first)
  const latest = createLatest<X509Context>()
  const closing = new AbortController()
  const close = () => {
    closing.abort()
    latest.close()
  }
  options.signal?.addEventListener('abort', close, { once: true })
  if (options.signal?.aborted === true) close()
  const following = follow(
    {
      open: (signal) =>
        readStream(address, (client, metadata) => client.FetchX509SVID({}, metadata), signal),
      onMessage: (message) => latest.set(readX509Response(message, pick)),
      onFailure(error, retryMs) {
        if (error.code === 'NO_IDENTITY_ISSUED') latest.withdraw(error)
        if (retryMs === undefined) latest.fail(error)
        onFailure(error, retryMs)
      },
      clock,
      random,
    },
    closing.signal,
  )
  const source: X509Source = {
    current: latest.current,
    onChange: latest.onChange,
    updates: latest.updates,
    svidFor(hint) {
      const { svids } = latest.current()
      const found = svids.find((svid) => svid.hint === hint)
      if (found !== undefined) return found
      const hints = svids.map((svid) => JSON.stringify(svid.hint)).join(', ')
      throw new IdentityError(
        'NOT_FOUND',
        `no X509-SVID has the hint ${JSON.stringify(hint)}; there are ${hints}`,
      )
    },
    async [Symbol.asyncDispose]() {
      options.signal?.removeEventListener('abort', close)
      close()
      await following
    },
  }
  return await opened(source, latest)
}
