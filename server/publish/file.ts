/** Publishes the bundle into a file that everybody may read. It is replaced as a whole; a bundle is no secret. */
import { open, rename, rm } from 'node:fs/promises'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { PublishedFormat } from './published-text.ts'
import type { Publisher } from './publisher.ts'

export interface FilePublisherConfig {
  readonly kind: 'file'
  readonly path: string
  readonly format: PublishedFormat
  readonly refreshHintSeconds: number | undefined
}

const MODE = 0o644

export function filePublisher({
  path,
  format,
  refreshHintSeconds,
}: FilePublisherConfig): Publisher {
  return {
    ...{ name: 'file', format, refreshHintSeconds },
    async publish({ text }) {
      const temporary = `${path}.tmp`
      try {
        await rm(temporary, { force: true }) // left by a crash, perhaps of another owner
        {
          await using file = await open(temporary, 'wx', MODE)
          await file.chmod(MODE) // whatever the umask is
          await file.writeFile(text)
          await file.sync()
        }
        await rename(temporary, path)
      } catch (cause) {
        const message = `the bundle could not be written to ${path}: ${reasonOf(cause)}`
        throw new IdentityError('UNAVAILABLE', message, { cause })
      }
    },
  }
}
