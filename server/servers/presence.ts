/**
 * This server's row among those that share its store: taken at the start, written with every beat, and given up at the end.
 * A row belongs to one process. Two living processes with the same key have the same authorities in two places, which a
 * copied data directory makes: the later one is refused, and one that lost its row stops. On any doubt nobody serves.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { RegisteredServer, ServerRegistry } from '../store/server-registry.ts'

export interface Presence {
  readonly key: string
  /** Writes the document now. @throws IdentityError CONFIG_INVALID when the row is another process's; UNAVAILABLE */
  beat(): Promise<void>
  /** Beats until the signal aborts. @throws as `beat`, but for a store that does not answer: that is told and tried again */
  keep(signal: AbortSignal): Promise<void>
  /** What the row said before this process took it. */
  readonly before: string | undefined
  leave(): Promise<void>
}

export interface PresenceDeps {
  readonly registry: Pick<ServerRegistry, 'list' | 'enter' | 'beat' | 'leave'>
  readonly key: string
  /** What is written with each beat. */
  document(before: string | undefined): string
  readonly clock: Clock
  /** Aborts when the server is to stop. */
  readonly signal?: AbortSignal | undefined
  readonly onFailure: (error: unknown) => void
  /** Told when the row seems to belong to a living process, and it is waited for. */
  readonly onWaiting?: () => void
}

const BEAT_MS = 2_000
/** Longer than several beats and a store that fails over: who has not been seen for that long is gone. */
export const LIVING_MS = 10_000
/** As long a process that was killed may still seem to live: three beats. */
const TAKEOVER_MS = 6_000
const LOOK_MS = 500
const MAX_TURNS = 100

export const isLiving = ({ incarnation, seenMsAgo }: RegisteredServer) =>
  incarnation !== '' && seenMsAgo < LIVING_MS

/** @throws IdentityError CONFIG_INVALID when another living process has the key */
export async function enter(deps: PresenceDeps): Promise<Presence> {
  const { registry, key, clock, document, onFailure } = deps
  const incarnation = randomUUID()
  const before = await takeRow(deps, incarnation)
  const beat = async () => {
    if (!(await registry.beat(key, incarnation, document(before)))) throw lost(key)
  }
  return {
    key,
    before,
    beat,
    async keep(signal) {
      while (!signal.aborted) {
        await clock.sleep(BEAT_MS, signal)
        if (signal.aborted) return
        try {
          await beat()
        } catch (error) {
          if (isLost(error)) throw error
          onFailure(error)
        }
      }
    },
    leave: () => registry.leave(key, incarnation),
  }
}

/** @returns the document that was there */
async function takeRow(deps: PresenceDeps, incarnation: string): Promise<string | undefined> {
  const { registry, key, document } = deps
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const row = await rowOf(deps)
    if (row !== undefined && row.incarnation !== '' && row.seenMsAgo < TAKEOVER_MS) {
      await mustFallSilent(row, deps)
    }
    const taken = document(row?.document)
    if (await registry.enter(key, incarnation, taken, row?.incarnation)) return row?.document
    const faster = await rowOf(deps)
    if (faster !== undefined && faster.incarnation !== '') break
  }
  throw copied(key)
}

/** A process that was killed just now is not seen again; one that lives is. */
async function mustFallSilent(first: RegisteredServer, deps: PresenceDeps): Promise<void> {
  const { clock, key, signal } = deps
  deps.onWaiting?.()
  let seenMsAgo = first.seenMsAgo
  while (seenMsAgo < TAKEOVER_MS) {
    await clock.sleep(LOOK_MS, signal)
    if (signal?.aborted) throw new IdentityError('UNAVAILABLE', 'the server is stopping')
    const row = await rowOf(deps)
    if (row === undefined || row.incarnation === '') return
    // Fails closed: whoever was seen meanwhile lives; silence would have grown.
    if (row.incarnation !== first.incarnation || row.seenMsAgo <= seenMsAgo) throw copied(key)
    seenMsAgo = row.seenMsAgo
  }
}

async function rowOf({ registry, key }: PresenceDeps): Promise<RegisteredServer | undefined> {
  return (await registry.list()).find((row) => row.key === key)
}

const LOST = 'another process has taken over'

function lost(key: string): IdentityError {
  return new IdentityError(
    'CONFIG_INVALID',
    `${LOST} the place of this server (key ${key}) in the database, or it was forgotten there: is a copy of its data_dir in use? ${ADVICE}`,
  )
}

function copied(key: string): IdentityError {
  return new IdentityError(
    'CONFIG_INVALID',
    `another server that is running has the same key (${key}): its data_dir was copied, or this server runs twice; ${ADVICE}`,
  )
}

const ADVICE =
  'stop one of them, or remove server-key.json, keys and signing ledger from the copy to let it join as a new server'

function isLost(error: unknown): boolean {
  return error instanceof IdentityError && error.code === 'CONFIG_INVALID'
}
