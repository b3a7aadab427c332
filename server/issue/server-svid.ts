/**
 * The server's own SVID, `spiffe://<trust domain>/spire/server`, with a fresh key each time. It is replaced
 * at half of its life, and at once when another authority has become active: one is tainted or revoked
 * only after that, so the server never shows an SVID whose authority is on its way out.
 *
 * @see SPIRE behaviour §7 — server SVID
 */
import type { KeyObject } from 'node:crypto'
import { createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { X509Ca } from '../ca/x509-ca.ts'
import type { Issuer } from './issuer.ts'
import type { IssuedX509Svid } from './x509-svid.ts'

export interface CurrentServerSvid extends IssuedX509Svid {
  readonly key: KeyObject
}

export interface ServerSvid {
  current(): CurrentServerSvid
  renew(): Promise<void>
  /** Calls `listener` after each renewal. It must not throw. @returns how to stop listening */
  onChange(listener: () => void): () => void
}

/** @throws IdentityError UNAVAILABLE while there is no authority to sign the first one */
export async function openServerSvid(
  issuer: Pick<Issuer, 'issueServerX509Svid'>,
): Promise<ServerSvid> {
  const issue = async (): Promise<CurrentServerSvid> => {
    const key = await generateKey('ec-p256')
    return { ...(await issuer.issueServerX509Svid({ spki: spkiOf(key) })), key }
  }
  let current = await issue()
  const listeners = new Set<() => void>()
  return {
    current: () => current,
    async renew() {
      current = await issue()
      for (const listener of listeners) listener()
    },
    onChange(listener) {
      const entry = () => listener()
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
  }
}

export interface RenewServerSvidDeps {
  readonly svid: Pick<ServerSvid, 'current' | 'renew'>
  readonly x509: Pick<Authorities<X509Ca>, 'signer' | 'onActivate'>
  readonly clock: Clock
  /** A renewal failed; another attempt follows. */
  readonly onFailure: (error: unknown) => void
}

const CHECK_MS = 5_000
const RETRY_MS = 500

/** Runs until the signal aborts. */
export async function renewServerSvid(
  { svid, x509, clock, onFailure }: RenewServerSvidDeps,
  signal: AbortSignal,
): Promise<void> {
  const bell = createBell()
  const stopListening = x509.onActivate(bell.ring)
  signal.addEventListener('abort', bell.ring)
  while (!signal.aborted) {
    bell.reset()
    try {
      if (isDue(svid.current(), x509.signer()?.authority.id, clock.now())) await svid.renew()
    } catch (error) {
      onFailure(error)
    }
    await clock.sleep(pauseMs(svid.current(), clock.now()), bell.signal())
  }
  stopListening()
  signal.removeEventListener('abort', bell.ring)
}

/** Until half of the life, so that a short one is not overslept; never so short that failures come in a flood. */
function pauseMs(svid: IssuedX509Svid, now: Date): number {
  return Math.min(CHECK_MS, Math.max(RETRY_MS, halfLifeOf(svid) - now.getTime()))
}

function halfLifeOf({ issuedAt, expiresAt }: IssuedX509Svid): number {
  return (issuedAt.getTime() + expiresAt.getTime()) / 2
}

/** @param activeId undefined while nobody can sign: then only age counts */
export function isDue(svid: IssuedX509Svid, activeId: string | undefined, now: Date): boolean {
  if (activeId !== undefined && activeId !== svid.authorityId) return true
  // A clock that was set back made an SVID of the future: nobody would take it.
  return now.getTime() >= halfLifeOf(svid) || now < svid.issuedAt
}
