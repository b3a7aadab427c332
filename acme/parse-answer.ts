/** Reads the JSON answers of an ACME server: what is not as RFC 8555 has it is refused, and quoted nowhere. */
import type { z } from 'zod'
import { IdentityError } from '../spiffe/error.ts'

/** @throws IdentityError UNAVAILABLE: the server may be well again later */
export function parseAnswer<T>(what: string, schema: z.ZodType<T>, body: string): T {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    throw malformed(`its ${what} is not JSON`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw malformed(`its ${what} has no good ${issue?.path.join('.') || 'content'}`)
}

function malformed(why: string): IdentityError {
  const hint = 'expected an answer by RFC 8555; check directory_url'
  return new IdentityError(
    'UNAVAILABLE',
    `the ACME server answered what cannot be read: ${why}, ${hint}`,
  )
}
