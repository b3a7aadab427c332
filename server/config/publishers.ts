/**
 * Where the bundle is published: a file, which is ours, or an object of a bucket, with SPIRE's keys.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_bundlepublisher_aws_s3.md
 */
import { optional, placeOf, type Read, refine, required, section } from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'
import { choice, seconds, text, textLike } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { PublisherConfig } from '../publish/publisher.ts'

const HINT =
  'how often readers shall look again, in the spiffe format; that of the bundle when left out'

export const filePublisher = section({
  path: required(text('a path'), 'file that is replaced at every change, readable for everybody'),
  format: required(choice(['spiffe', 'jwks', 'pem']), 'form of the bundle'),
  refresh_hint: optional(seconds(), HINT),
})

const s3Keys = section({
  access_key_id: optional(text(), 'ID of the access key; that of AWS_ACCESS_KEY_ID when left out'),
  secret_access_key: optional(
    text(),
    'the access key; that of AWS_SECRET_ACCESS_KEY when left out, which may come with AWS_SESSION_TOKEN',
  ),
  region: required(textLike(/^[a-z0-9-]{1,63}$/, 'the name of a region'), 'region of the bucket'),
  bucket: required(textLike(/^[a-z0-9.-]{3,63}$/i, 'the name of a bucket'), 'bucket of the object'),
  object_key: required(text(), 'name of the object'),
  format: required(choice(['spiffe', 'jwks', 'pem']), 'form of the bundle'),
  endpoint: optional(text('a URL'), 'service other than Amazon’s, as an https or http URL'),
  refresh_hint: optional(seconds(), HINT),
})

export const s3Publisher = refine(s3Keys, (read, { report }) => {
  const { endpoint, access_key_id: id, secret_access_key: secret } = read
  if (endpoint !== undefined && !isEndpoint(endpoint)) {
    const message = 'BundlePublisher.aws_s3.endpoint is no URL of a service'
    addMistake(report, placeOf(read, 'endpoint'), message, 'https://host or http://host')
  }
  if ((id === undefined) !== (secret === undefined)) {
    const given = id === undefined ? 'secret_access_key' : 'access_key_id'
    const message = `BundlePublisher.aws_s3.${given} is alone`
    const expected = 'access_key_id and secret_access_key, or neither'
    addMistake(report, placeOf(read, given), message, expected)
  }
  return {}
})

function isEndpoint(written: string): boolean {
  if (!URL.canParse(written)) return false
  const { protocol, username, password, search, hash } = new URL(written)
  return ['https:', 'http:'].includes(protocol) && `${username}${password}${search}${hash}` === ''
}

export type ChosenPublisher =
  | { readonly name: 'file'; readonly data: Read<(typeof filePublisher)['keys']> }
  | { readonly name: 'aws_s3'; readonly data: Read<(typeof s3Keys)['keys']> }

/** @throws IdentityError CONFIG_INVALID when there is no access key, neither in the file nor in the environment */
export function publisherConfig(
  chosen: ChosenPublisher,
  env: Readonly<Record<string, string | undefined>>,
): PublisherConfig {
  const { format, refresh_hint: refreshHintSeconds } = chosen.data
  if (chosen.name === 'file') {
    return { kind: 'file', path: chosen.data.path, format, refreshHintSeconds }
  }
  const { region, bucket, object_key: objectKey, endpoint } = chosen.data
  const isInFile = chosen.data.access_key_id !== undefined
  const accessKeyId = chosen.data.access_key_id ?? env.AWS_ACCESS_KEY_ID
  const secretAccessKey = chosen.data.secret_access_key ?? env.AWS_SECRET_ACCESS_KEY
  if (!accessKeyId || !secretAccessKey) {
    throw new IdentityError(
      'CONFIG_INVALID',
      'plugins.BundlePublisher.aws_s3 has no access key; set access_key_id and secret_access_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment',
    )
  }
  const sessionToken = isInFile ? undefined : env.AWS_SESSION_TOKEN || undefined
  const key = { accessKeyId, secretAccessKey, sessionToken }
  return { kind: 'aws_s3', ...key, region, bucket, objectKey, endpoint, format, refreshHintSeconds }
}
