/** Who runs `steeple dev`: their processes get the identity that it registers. */
import { userInfo } from 'node:os'

export interface DevUser {
  readonly uid: number
  /** Fit for a segment of a SPIFFE ID. */
  readonly name: string
}

export function devUser(): DevUser {
  const uid = process.getuid?.() ?? 0
  return { uid, name: segmentOf(accountName()) || `uid-${uid}` }
}

function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return '' // a uid without an account, as containers have them
  }
}

/** @see SPIFFE-ID §2.2 — what a segment may have */
export function segmentOf(name: string): string {
  const segment = name.replace(/[^A-Za-z0-9._-]/g, '-')
  return /^\.{1,2}$/.test(segment) ? '' : segment
}
