/**
 * What this server has signed and who holds it, as far as it is still valid: it tells whether an authority is in use.
 * It is bounded, and begins with what is known of earlier runs. What it forgets or never knew is not taken for unused: the
 * authority then counts as perhaps in use until all of that has expired.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import type { Clock } from '../../spiffe/clock.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { LedgerRecord, UseKind } from './ledger-record.ts'

export interface Signed {
  readonly kind: UseKind
  /** The agent that asked for it, or the ID it was signed for. */
  readonly holder: SpiffeId
  readonly authorityId: string
  readonly expiresAt: Date
}

/** How what is signed goes with what was signed before for the same `slot`. */
export type Recorded =
  /** Whoever held the one before holds this one now. */
  | { readonly kind: 'replaces'; readonly slot: string }
  /** What was signed before stays in use until it expires. */
  | { readonly kind: 'adds' }

export interface Use {
  readonly kind: UseKind
  readonly holder: SpiffeId
  /** At most as many. */
  readonly count: number
  /** The latest end. */
  readonly until: Date
}

export interface SeenAgentSvid {
  readonly serialNumber: string
  readonly expiresAt: Date
  readonly authorityId?: string | undefined
}

export interface SigningLedger {
  /** Everything known before is older. */
  readonly startedAt: Date
  /** Resolves when it is kept; until then nobody may be handed it. @throws as `keep` */
  record(signed: Signed, how: Recorded): Promise<void>
  /** An agent's own SVID, which the record of its node names by the decimal serial number. */
  recordAgentSvid(serialNumber: string, authorityId: string, expiresAt: Date): Promise<void>
  /** An agent showed this certificate. */
  noteSeen(svid: SeenAgentSvid): void
  /** Undefined: not known. */
  authorityOfAgentSvid(serialNumber: string): string | undefined
  /** What is valid of all that was recorded for an authority, a line for each holder; not the agents' own SVIDs. */
  usesOf(authorityId: string): readonly Use[]
  /** When the last of what was recorded and is forgotten ends; undefined: nothing is forgotten. */
  forgottenUntil(authorityId: string): Date | undefined
  /** All of it that is valid: what another ledger begins with to know the same. */
  records(): Iterable<LedgerRecord>
}

export interface SigningLedgerOptions {
  readonly maxRecords?: number
  /** What was known before, oldest first. */
  readonly known?: Iterable<LedgerRecord>
  /** Keeps what is recorded. Left out: it is in memory alone. */
  readonly keep?: (record: LedgerRecord) => Promise<void>
}

/** Of SVIDs, tokens and CAs that are valid. */
const MAX_RECORDS = 250_000
/** Of agents' own SVIDs. */
const MAX_AGENT_SVIDS = 100_000
/** Expired records are looked for no more often than this. */
const SWEEP_MS = 30_000

type Line = LedgerRecord & { readonly kind: 'line' }

export function createSigningLedger(
  clock: Clock,
  { maxRecords = MAX_RECORDS, known = [], keep = async () => {} }: SigningLedgerOptions = {},
): SigningLedger {
  const lines = new Map<string, Line>()
  const agentSvids = new Map<string, { readonly authorityId: string; readonly expiresAt: Date }>()
  const forgotten = new Map<string, Date>()
  let sweptAtMs = Number.NEGATIVE_INFINITY

  const forget = (authorityId: string, expiresAt: Date) => {
    const before = forgotten.get(authorityId)
    if (before === undefined || before < expiresAt) forgotten.set(authorityId, expiresAt)
  }
  const sweep = () => {
    const now = clock.now()
    if (now.getTime() - sweptAtMs < SWEEP_MS) return
    sweptAtMs = now.getTime()
    for (const [key, { expiresAt }] of lines) if (expiresAt <= now) lines.delete(key)
    for (const [serial, { expiresAt }] of agentSvids) {
      if (expiresAt <= now) agentSvids.delete(serial)
    }
    for (const [authorityId, until] of forgotten) if (until <= now) forgotten.delete(authorityId)
  }
  const put = (line: Line) => {
    lines.delete(line.key)
    lines.set(line.key, line)
    if (lines.size <= maxRecords) return
    sweep()
    for (const [oldest, { authorityId, expiresAt }] of lines) {
      if (lines.size <= maxRecords) break
      lines.delete(oldest)
      forget(authorityId, expiresAt)
    }
  }

  const putAgentSvid = (serialNumber: string, authorityId: string, expiresAt: Date) => {
    agentSvids.delete(serialNumber)
    agentSvids.set(serialNumber, { authorityId, expiresAt })
    if (agentSvids.size <= MAX_AGENT_SVIDS) return
    sweep()
    for (const [oldest, svid] of agentSvids) {
      if (agentSvids.size <= MAX_AGENT_SVIDS) break
      agentSvids.delete(oldest)
      forget(svid.authorityId, svid.expiresAt)
    }
  }

  const now = clock.now()
  for (const record of known) {
    if (record.kind === 'line' && record.expiresAt > now) put(record)
    else if (record.kind === 'line') lines.delete(record.key)
    else if (record.kind === 'forgotten') forget(record.authorityId, record.expiresAt)
    else if (record.kind === 'agent-svid' && record.expiresAt > now) {
      putAgentSvid(record.serialNumber, record.authorityId, record.expiresAt)
    }
  }

  return {
    startedAt: now,
    async record({ kind: use, holder, authorityId, expiresAt }, how) {
      const signed = { kind: 'line', use, holder, authorityId, signedAt: clock.now() } as const
      if (how.kind === 'replaces') {
        const line: Line = { ...signed, key: `${use} ${how.slot}`, expiresAt, count: 1 }
        put(line)
        return await keep(line)
      }
      const key = `${use} ${holder} ${authorityId}`
      const before = lines.get(key)
      const isLive = before !== undefined && before.expiresAt > clock.now()
      const latest = Math.max(expiresAt.getTime(), before?.expiresAt.getTime() ?? 0)
      const count = isLive ? before.count + 1 : 1
      const line: Line = { ...signed, key, expiresAt: new Date(latest), count }
      put(line)
      await keep(line)
    },
    async recordAgentSvid(serialNumber, authorityId, expiresAt) {
      putAgentSvid(serialNumber, authorityId, expiresAt)
      await keep({ kind: 'agent-svid', serialNumber, authorityId, expiresAt })
    },
    noteSeen({ serialNumber, authorityId, expiresAt }) {
      if (authorityId === undefined || agentSvids.has(serialNumber)) return
      putAgentSvid(serialNumber, authorityId, expiresAt)
    },
    authorityOfAgentSvid: (serialNumber) => agentSvids.get(serialNumber)?.authorityId,
    usesOf(authorityId) {
      const now = clock.now()
      const uses = new Map<string, Use>()
      for (const line of lines.values()) {
        const { use: kind, holder, count, expiresAt } = line
        if (line.authorityId !== authorityId || expiresAt <= now) continue
        const key = `${kind} ${holder}`
        const before = uses.get(key)
        const latest = Math.max(expiresAt.getTime(), before?.until.getTime() ?? 0)
        const until = new Date(latest)
        uses.set(key, { kind, holder, count: count + (before?.count ?? 0), until })
      }
      return [...uses.values()]
    },
    forgottenUntil(authorityId) {
      const until = forgotten.get(authorityId)
      return until !== undefined && until > clock.now() ? until : undefined
    },
    *records() {
      sweptAtMs = Number.NEGATIVE_INFINITY
      sweep()
      for (const [authorityId, expiresAt] of forgotten) {
        yield { kind: 'forgotten', authorityId, expiresAt }
      }
      for (const [serialNumber, svid] of agentSvids) {
        yield { kind: 'agent-svid', serialNumber, ...svid }
      }
      yield* lines.values()
    },
  }
}
