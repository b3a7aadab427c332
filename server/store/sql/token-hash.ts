/** Join tokens are kept as digests: who reads a database or its backup learns no token that still works. */
import { createHash } from 'node:crypto'

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
