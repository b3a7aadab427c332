/**
 * Until when this server's signatures last, told to the other servers before anybody holds one that lasts longer. So the
 * end of whatever a server has signed is known even after kill -9 and the loss of its disk. It is told ahead of need:
 * one write to the store serves many signatures.
 */
import type { Clock } from '../../spiffe/clock.ts'
import type { SigningLedger } from '../issue/signing-ledger.ts'
import { ALL_OTHERS, MAX_COVERED } from './server-document.ts'

export interface Horizon {
  /** Resolves when everybody can know that something ends as late as this. @throws as `tell` */
  cover(authorityId: string, expiresAt: Date): Promise<void>
  /** Authority ID → unix milliseconds; those that have passed are left out. */
  endsByMs(): Readonly<Record<string, number>>
}

export interface HorizonDeps {
  readonly clock: Clock
  /** What was told before. */
  readonly known: Readonly<Record<string, number>>
  /** Writes `endsByMs` to the store. @throws IdentityError when the store does not answer */
  tell(): Promise<void>
}

/** Of what remains, so that the next signatures of the same life need no write. */
const AHEAD = 1 / 4

/** Fails closed: what could not be told is not handed out. */
export function createHorizon({ clock, known, tell }: HorizonDeps): Horizon {
  const told = new Map(Object.entries(known))
  /** What is being told, and when that is done. */
  const telling = new Map<string, { readonly ms: number; readonly done: Promise<void> }>()
  let last: Promise<void> = Promise.resolve()
  const endsBy = () => {
    const now = clock.now().getTime()
    for (const [id, ms] of told) if (ms <= now) told.delete(id)
    const all = new Map(told)
    for (const [id, { ms }] of telling) if (ms > (all.get(id) ?? now)) all.set(id, ms)
    const named = [...all].filter(([id]) => id !== ALL_OTHERS).sort(([, a], [, b]) => b - a)
    // Of too many, those that end first go together.
    const others = Math.max(named[MAX_COVERED]?.[1] ?? 0, all.get(ALL_OTHERS) ?? 0)
    const rest = others === 0 ? [] : [[ALL_OTHERS, others] as const]
    return Object.fromEntries([...named.slice(0, MAX_COVERED), ...rest])
  }
  return {
    async cover(authorityId, expiresAt) {
      const ms = expiresAt.getTime()
      if ((told.get(authorityId) ?? 0) >= ms) return
      let mine = telling.get(authorityId)
      if (mine === undefined || mine.ms < ms) {
        const now = clock.now().getTime()
        // One after another: whatever was added meanwhile goes with the next one.
        last = last.catch(() => {}).then(tell)
        mine = { ms: Math.ceil(ms + Math.max(0, ms - now) * AHEAD), done: last }
        telling.set(authorityId, mine)
      }
      try {
        await mine.done
      } finally {
        // Of a failure the next one tries again; what was raised meanwhile is not ours to take back.
        if (telling.get(authorityId) === mine) telling.delete(authorityId)
      }
      if ((told.get(authorityId) ?? 0) < mine.ms) told.set(authorityId, mine.ms)
    },
    endsByMs: endsBy,
  }
}

/** The same ledger: what it records is covered before it is kept. */
export function coveredBy(horizon: Pick<Horizon, 'cover'>, ledger: SigningLedger): SigningLedger {
  return {
    ...ledger,
    async record(signed, how) {
      await horizon.cover(signed.authorityId, signed.expiresAt)
      await ledger.record(signed, how)
    },
    async recordAgentSvid(serialNumber, authorityId, expiresAt) {
      await horizon.cover(authorityId, expiresAt)
      await ledger.recordAgentSvid(serialNumber, authorityId, expiresAt)
    },
  }
}
