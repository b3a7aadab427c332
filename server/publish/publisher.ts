/** A place where the bundle of the trust domain is put for those who have no agent to ask, and what a place must do. */
import type { Clock } from '../../spiffe/clock.ts'
import { type FilePublisherConfig, filePublisher } from './file.ts'
import type { PublishedFormat, PublishedText } from './published-text.ts'
import { type S3PublisherConfig, s3Publisher } from './s3.ts'

export type PublisherConfig = FilePublisherConfig | S3PublisherConfig

export interface Publisher {
  /** As the configuration names it. */
  readonly name: PublisherConfig['kind']
  readonly format: PublishedFormat
  /** Undefined: that of the bundle. */
  readonly refreshHintSeconds: number | undefined
  /** Replaces what is there as a whole: whoever reads finds the old or the new. @throws IdentityError UNAVAILABLE */
  publish(text: PublishedText, signal: AbortSignal): Promise<void>
}

export function openPublisher(config: PublisherConfig, clock: Clock): Publisher {
  switch (config.kind) {
    case 'file':
      return filePublisher(config)
    case 'aws_s3':
      return s3Publisher(config, clock)
  }
}
