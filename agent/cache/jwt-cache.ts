/**
 * JWT-SVIDs kept for their next use, the least recently used going first. A token is never returned after its end,
 * nor for another entry, revision, ID or audience than it was asked for.
 */
import { createHash } from 'node:crypto'
import type { CachedEntry } from './entry.ts'
import type { JwtSvid } from './identity.ts'

export interface CachedToken extends JwtSvid {
  readonly obtainedAt: Date
  readonly renewAt: Date
  /** The key that signed it. */
  readonly keyId: string | undefined
}

export interface JwtCache {
  find(key: string, now: Date): CachedToken | undefined
  put(key: string, token: CachedToken): void
  size(): number
}

/** The order of audiences does not matter; JSON keeps `["a,b"]` and `["a","b"]` apart. */
export function jwtCacheKey(entry: CachedEntry, audience: readonly string[]): string {
  const parts = [entry.entryId, entry.revision, entry.createdAt, entry.id, [...audience].sort()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

export function createJwtCache(maxTokens: number): JwtCache {
  // A Map keeps the order of insertion, and every use inserts anew: the first is the least recently used.
  const tokens = new Map<string, CachedToken>()
  return {
    size: () => tokens.size,
    find(key, now) {
      const found = tokens.get(key)
      if (found === undefined) return undefined
      tokens.delete(key)
      if (found.expiresAt <= now) return undefined
      tokens.set(key, found)
      return found
    },
    put(key, token) {
      tokens.delete(key)
      tokens.set(key, token)
      for (const oldest of tokens.keys()) {
        if (tokens.size <= maxTokens) break
        tokens.delete(oldest)
      }
    },
  }
}
