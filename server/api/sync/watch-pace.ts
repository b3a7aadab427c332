/**
 * When a stream has to say something although there is no news: so often that its agent notices when the server has
 * gone, and once that it is time for a new connection, perhaps to another server. Pure.
 */
import type { SpiffeId } from '../../../spiffe/id.ts'

export interface Pace {
  /** 0: only news. */
  readonly heartbeatMs: number
  /** After the stream has begun. */
  readonly moveAfterMs: number
  /** After the server has last seen all there is to see, when it has so many streams; another server may see more. */
  staleAfterMs(streams: number): number
}

/** Faster would cost a thousand agents' server more than their news do. */
export const MIN_HEARTBEAT_MS = 1_000
const MAX_HEARTBEAT_MS = 3_600_000
/**
 * Before the connection, which lives for three minutes, is told to end: the stream would go on with this server, and
 * all other calls with another one.
 */
const MOVE_AFTER_MS = 120_000
/** Agents that all came at one moment move one by one. */
const MOVE_SPREAD_MS = 50_000
/** A server looks every second: one that has not seen the log for so long has lost its database. */
const STALE_AFTER_MS = 4_000
const STALE_SPREAD_MS = 3_000
/** Fifty a second: the database may be away for all servers, and then whoever moves has to come back. */
const STALE_EACH_MS = 20

export function paceOf(agentId: SpiffeId, wantedHeartbeatMs: number): Pace {
  const heartbeatMs =
    wantedHeartbeatMs === 0
      ? 0
      : Math.min(MAX_HEARTBEAT_MS, Math.max(MIN_HEARTBEAT_MS, wantedHeartbeatMs))
  const spread = spreadOf(agentId)
  return {
    heartbeatMs,
    moveAfterMs: MOVE_AFTER_MS + (spread % MOVE_SPREAD_MS),
    staleAfterMs: (streams) =>
      STALE_AFTER_MS + (spread % Math.max(STALE_SPREAD_MS, streams * STALE_EACH_MS)),
  }
}

/** FNV-1a: any number that differs from agent to agent will do. */
function spreadOf(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return hash
}
