/** The loops that publish the bundle, one for each place in the configuration: none waits for another. */
import type { Log } from '../../log/open-log.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import { type PublishDeps, publishBundle } from './publish-bundle.ts'
import { openPublisher, type PublisherConfig } from './publisher.ts'

export interface PublishLoopsDeps extends Pick<PublishDeps, 'bundle' | 'clock' | 'random'> {
  readonly log: Log
}

export function publishLoops(
  configs: readonly PublisherConfig[],
  { log, ...deps }: PublishLoopsDeps,
): readonly Loop[] {
  return configs.map((config) => (signal) => {
    const publisher = openPublisher(config, deps.clock)
    const fields = { plugin_name: publisher.name }
    return publishBundle(
      {
        ...deps,
        publisher,
        onPublished({ sequenceNumber }) {
          log.debug({ ...fields, sequence_number: sequenceNumber }, 'Bundle published')
        },
        onFailure: (err, retryMs) =>
          log.error({ ...fields, err, retry_ms: Math.round(retryMs) }, 'Failed to publish bundle'),
      },
      signal,
    )
  })
}
