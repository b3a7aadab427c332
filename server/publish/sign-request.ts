/**
 * Signs a request to a service of Amazon's, or to one that speaks its protocol: Signature Version 4. Pure; the secret
 * goes into the signature and nowhere else.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHash, createHmac } from 'node:crypto'

export interface SigningKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface RequestToSign {
  readonly method: string
  /** As it stands in the request line, each segment escaped once. */
  readonly path: string
  /** All that are signed, `host` among them; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly region: string
  readonly service: string
  readonly at: Date
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** @returns all headers of the request, `authorization` among them */
export function signRequest(
  { accessKeyId, secretAccessKey }: SigningKey,
  { method, path, headers, body, region, service, at }: RequestToSign,
): Readonly<Record<string, string>> {
  const stamp = `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const day = stamp.slice(0, 8)
  const bodyHash = sha256(body)
  const all: Readonly<Record<string, string>> = {
    ...headers,
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': stamp,
  }
  const names = Object.keys(all).toSorted()
  const signed = names.join(';')
  const lines = names.map((name) => `${name}:${(all[name] ?? '').trim()}\n`).join('')
  const canonical = [method, path, '', lines, signed, bodyHash].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = [ALGORITHM, stamp, scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${secretAccessKey}`,
  )
  const signature = hmac(key, toSign).toString('hex')
  return {
    ...all,
    authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
  }
}

/** Escapes everything but letters, digits, `-._~` and the slashes between segments. */
export function escapePath(path: string): string {
  return encodeURIComponent(path)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
