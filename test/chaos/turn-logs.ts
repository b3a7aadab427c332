/** Reads from the servers' logs who held which turn, and finds times at which two did. */

export interface ServerLog {
  readonly server: string
  /** What one process printed, a JSON object a line. */
  readonly text: string
  /** When it was killed, milliseconds since 1970; undefined: it never was. */
  readonly killedMs: number | undefined
  /** When it was stopped in its tracks. */
  readonly standstills: readonly Standstill[]
}

export interface Standstill {
  readonly fromMs: number
  readonly untilMs: number
}

interface Held {
  readonly server: string
  readonly turn: string
  readonly fromMs: number
  readonly untilMs: number
}

export interface TurnReport {
  readonly turns: number
  /** How often one began. */
  readonly begun: number
  readonly faults: readonly string[]
}

const BEGINS = 'Turn begins'
/** Its work is told to end; what of it was on its way to the database may still arrive. */
const IS_LOST = 'Turn is lost'
const ENDS = 'Turn is over'
/** Within this time who went on has noticed what happened meanwhile. */
const NOTICED_MS = 2_000

export function judgeTurns(logs: readonly ServerLog[]): TurnReport {
  const all = logs.flatMap(readHeld)
  const turns = new Set(all.map(({ turn }) => turn))
  const faults = [...turns].flatMap((turn) => {
    const own = all.filter((one) => one.turn === turn).sort((a, b) => a.fromMs - b.fromMs)
    return own.flatMap((one, at) => {
      const next = own[at + 1]
      if (next === undefined || next.fromMs >= one.untilMs) return []
      const since = new Date(next.fromMs).toISOString()
      return [`${next.server} began ${turn} at ${since} while ${one.server} was at it`]
    })
  })
  return { turns: turns.size, begun: all.length, faults }
}

function readHeld({ server, text, killedMs, standstills }: ServerLog): readonly Held[] {
  /** Who stands still does nothing, and who loses a turn right after that was not at it since. */
  const endOf = (atMs: number) =>
    standstills.find(({ untilMs }) => atMs >= untilMs && atMs - untilMs <= NOTICED_MS)?.fromMs ??
    atMs
  const open = new Map<string, number>()
  const held: Held[] = []
  for (const line of text.split('\n')) {
    if (![BEGINS, IS_LOST, ENDS].some((said) => line.includes(said))) continue
    const { time, msg, turn } = JSON.parse(line)
    const atMs = new Date(time).getTime()
    const fromMs = open.get(turn)
    if (msg === BEGINS) open.set(turn, atMs)
    else if (fromMs !== undefined) {
      held.push({ server, turn, fromMs, untilMs: Math.max(fromMs, endOf(atMs)) })
      open.delete(turn)
    }
  }
  const untilMs = killedMs ?? Number.POSITIVE_INFINITY
  for (const [turn, fromMs] of open) held.push({ server, turn, fromMs, untilMs })
  return held
}
