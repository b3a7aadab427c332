/**
 * Where the bundle is published: a file, which is ours, or an object of a bucket, with SPIRE's keys; what is in
 * Kubernetes stands in `k8s-publishers.ts`.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_bundlepublisher_aws_s3.md
 */
import { optional, placeOf, type Read, refine, required, section } from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'
import { choice, seconds, text, textLike } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { PublisherConfig } from '../publish/publisher.ts'
import type { S3PublisherConfig } from '../publish/s3.ts'
import { configMapConfigs, trustBundleConfig } from './k8s-publishers.ts'

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
  | { readonly name: 'k8s_configmap'; readonly data: Parameters<typeof configMapConfigs>[0] }
  | {
      readonly name: 'k8s_cluster_trust_bundle'
      readonly data: Parameters<typeof trustBundleConfig>[0]
    }

type Environment = Readonly<Record<string, string | undefined>>

/**
 * @returns one for each place
 * @throws IdentityError CONFIG_INVALID when there is no access key, neither in the file nor in the environment
 */
export function publisherConfigs(
  chosen: ChosenPublisher,
  env: Environment,
  trustDomain: TrustDomain,
): readonly PublisherConfig[] {
  switch (chosen.name) {
    case 'file': {
      const { path, format, refresh_hint: refreshHintSeconds } = chosen.data
      return [{ kind: 'file', path, format, refreshHintSeconds }]
    }
    case 'aws_s3':
      return [s3Config(chosen.data, env)]
    case 'k8s_configmap':
      return configMapConfigs(chosen.data)
    case 'k8s_cluster_trust_bundle':
      return [trustBundleConfig(chosen.data, trustDomain)]
    default:
      return chosen satisfies never
  }
}

function s3Config(data: Read<(typeof s3Keys)['keys']>, env: Environment): S3PublisherConfig {
  const { format, refresh_hint: refreshHintSeconds } = data
  const { region, bucket, object_key: objectKey, endpoint } = data
  const isInFile = data.access_key_id !== undefined
  const accessKeyId = data.access_key_id ?? env.AWS_ACCESS_KEY_ID
  const secretAccessKey = data.secret_access_key ?? env.AWS_SECRET_ACCESS_KEY
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
