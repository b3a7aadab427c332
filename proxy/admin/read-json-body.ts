/** The body of a request to the admin endpoint: one JSON object of bounded size. */
import type { IncomingMessage } from 'node:http'
import { IdentityError } from '../../spiffe/error.ts'

const MAX_BODY_BYTES = 16 * 1024

/** @throws IdentityError REQUEST_INVALID */
export async function readJsonBody(
  request: IncomingMessage,
): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    const part: Buffer = chunk
    bytes += part.length
    if (bytes > MAX_BODY_BYTES) {
      throw new IdentityError('REQUEST_INVALID', `the body is larger than ${MAX_BODY_BYTES} bytes`)
    }
    chunks.push(part)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // said below
  }
  throw new IdentityError('REQUEST_INVALID', 'the body is no JSON object')
}
