/** The body of a request to the admin endpoint: one JSON object of bounded size. */
import type { IncomingMessage } from 'node:http'
import { IdentityError } from '../../spiffe/error.ts'
import { readBounded } from '../../spiffe/read-bounded.ts'

const MAX_BODY_BYTES = 16 * 1024

/** @throws IdentityError REQUEST_INVALID */
export async function readJsonBody(
  request: IncomingMessage,
): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBounded(request, MAX_BODY_BYTES)
  if (body === undefined) {
    throw new IdentityError('REQUEST_INVALID', `the body is larger than ${MAX_BODY_BYTES} bytes`)
  }
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // said below
  }
  throw new IdentityError('REQUEST_INVALID', 'the body is no JSON object')
}
