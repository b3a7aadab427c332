/**
 * The emergency switch: for a stated time and a stated reason all inbound listeners take plaintext too and authorization
 * policies are out of force. Everything about it is audited, and it ends by itself. It is the one thing here that opens instead of closing, so
 * only the Unix socket of operators reaches it.
 */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'

export interface KillSwitchState {
  readonly since: Date
  readonly until: Date
  readonly reason: string
  /** Who threw it. */
  readonly by: string
}

export interface KillSwitch {
  /** Undefined: off, as it should be. */
  state(): KillSwitchState | undefined
  /** @throws IdentityError REQUEST_INVALID for a duration out of bounds or without a reason */
  on(request: KillSwitchRequest): KillSwitchState
  off(by: string): void
  onChange(listener: () => void): Disposable
}

export interface KillSwitchRequest {
  readonly durationMs: number
  readonly reason: string
  readonly by: string
}

/** Longer than any incident should last unattended. */
export const MAX_KILL_SWITCH_MS = 24 * 3600_000
const MAX_REASON_CHARS = 500

export function createKillSwitch(clock: Clock, log: Log): KillSwitch {
  const listeners = new Set<() => void>()
  let state: KillSwitchState | undefined
  let timer = new AbortController()
  const change = (next: KillSwitchState | undefined) => {
    state = next
    for (const listener of listeners) listener()
  }
  const end = (message: string, fields: object) => {
    if (state === undefined) return
    timer.abort()
    log.warn({ audit: true, ...fields, reason: state.reason }, message)
    change(undefined)
  }
  const endInTime = async (until: Date, mine: AbortController) => {
    await clock.sleep(until.getTime() - clock.now().getTime(), mine.signal)
    if (!mine.signal.aborted) end('Kill switch ended by itself: policies are in force again', {})
  }
  return {
    state: () => state,
    on({ durationMs, reason, by }) {
      check(durationMs, reason)
      timer.abort()
      timer = new AbortController()
      const since = clock.now()
      const until = new Date(since.getTime() + durationMs)
      log.warn(
        { audit: true, by, reason, until: until.toISOString() },
        'Kill switch on: plaintext is taken and authorization policies are out of force',
      )
      const thrown = { since, until, reason, by }
      change(thrown)
      void endInTime(until, timer)
      return thrown
    },
    off: (by) => end('Kill switch off: policies are in force again', { by }),
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}

function check(durationMs: number, reason: string): void {
  if (!(durationMs >= 1000 && durationMs <= MAX_KILL_SWITCH_MS)) {
    const bounds = `from 1s to ${MAX_KILL_SWITCH_MS / 3600_000}h`
    throw new IdentityError('REQUEST_INVALID', `the duration is out of bounds, expected ${bounds}`)
  }
  if (reason.trim() === '' || reason.length > MAX_REASON_CHARS) {
    const expected = `a sentence of at most ${MAX_REASON_CHARS} characters`
    throw new IdentityError(
      'REQUEST_INVALID',
      `the reason is missing or too long, expected ${expected}`,
    )
  }
}
