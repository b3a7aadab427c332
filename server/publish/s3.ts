/**
 * Publishes the bundle as an object of a bucket, at Amazon's S3 or at any service that speaks its protocol. A redirect
 * is a failure: it would be signed for another host.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_bundlepublisher_aws_s3.md
 */
import type { Clock } from '../../spiffe/clock.ts'
import { deadlineIn } from '../../spiffe/deadline.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { PublishedFormat, PublishedText } from './published-text.ts'
import type { Publisher } from './publisher.ts'
import { escapePath, type SigningKey, signRequest } from './sign-request.ts'

export interface S3PublisherConfig extends SigningKey {
  readonly kind: 'aws_s3'
  /** For keys that were lent for a while. */
  readonly sessionToken: string | undefined
  readonly region: string
  readonly bucket: string
  readonly objectKey: string
  /** Undefined: Amazon's of the region. */
  readonly endpoint: string | undefined
  readonly format: PublishedFormat
  readonly refreshHintSeconds: number | undefined
}

const DEADLINE_MS = 30_000
/** Of what a service says about a failure. */
const MAX_REASON_BYTES = 4_096
const MAX_REASON_CHARS = 300

export function s3Publisher(config: S3PublisherConfig, clock: Clock): Publisher {
  const { format, refreshHintSeconds } = config
  return {
    ...{ name: 'aws_s3', format, refreshHintSeconds },
    async publish(published, signal) {
      using deadline = deadlineIn(DEADLINE_MS, clock, signal)
      try {
        await put(config, published, clock.now(), deadline.signal)
      } catch (cause) {
        if (cause instanceof IdentityError) throw cause
        const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
        throw failure(config, reasonOf(why), cause)
      }
    },
  }
}

async function put(
  config: S3PublisherConfig,
  { text, contentType }: PublishedText,
  at: Date,
  signal: AbortSignal,
): Promise<void> {
  const { region, sessionToken } = config
  const { origin, host, path } = addressOf(config)
  const body = Buffer.from(text)
  const headers = signRequest(config, {
    ...{ method: 'PUT', path, body, region, service: 's3', at },
    headers: {
      host,
      'content-type': contentType,
      ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
    },
  })
  const response = await fetch(origin + path, {
    ...{ method: 'PUT', headers, body, signal, redirect: 'manual' },
  })
  if (response.ok) {
    await response.body?.cancel()
    return
  }
  const reason = await reasonIn(response)
  throw failure(config, `it answered ${response.status}${reason}`)
}

/** Buckets of Amazon's are hosts, unless their name would fit no certificate; elsewhere they are paths. */
function addressOf({ endpoint, region, bucket, objectKey }: S3PublisherConfig) {
  const base = endpoint ?? `https://s3.${region}.amazonaws.com`
  const { protocol, host, pathname } = new URL(base)
  const isHost = endpoint === undefined && !bucket.includes('.')
  const at = isHost ? `${bucket}.${host}` : host
  const prefix = pathname.replace(/\/$/, '') + (isHost ? '' : `/${escapePath(bucket)}`)
  return { origin: `${protocol}//${at}`, host: at, path: `${prefix}/${escapePath(objectKey)}` }
}

/** What the service says of it, cut short: an XML document with a code and a message. */
async function reasonIn(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length >= MAX_REASON_BYTES) break
  }
  const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1]
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1]
  const said = [code, message].filter((part) => part !== undefined).join(': ')
  return said === '' ? '' : ` (${JSON.stringify(said.slice(0, MAX_REASON_CHARS))})`
}

function failure(
  { bucket, objectKey, endpoint }: S3PublisherConfig,
  why: string,
  cause?: unknown,
): IdentityError {
  const where = endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`
  const message = `the bundle could not be put into ${bucket}/${objectKey}${where}: ${why}`
  return new IdentityError('UNAVAILABLE', message, { cause })
}
