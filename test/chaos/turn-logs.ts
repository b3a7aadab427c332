/** Reads from the servers' logs who held which turn, and finds times at which two did. */

export interface ServerLog {
  readonly server: string
  /** What one process printed, a JSON object a line. */
  readonly text: string
  /** When it was killed, milliseconds since 1970; undefined: it never was. */
  readonly killedMs: number | undefined
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
const ENDS = 'Turn is over'

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

function readHeld({ server, text, killedMs }: ServerLog): readonly Held[] {
  const open = new Map<string, number>()
  const held: Held[] = []
  for (const line of text.split('\n')) {
    if (!line.includes(BEGINS) && !line.includes(ENDS)) continue
    const { time, msg, turn } = JSON.parse(line)
    const atMs = new Date(time).getTime()
    const fromMs = open.get(turn)
    if (msg === BEGINS) open.set(turn, atMs)
    else if (fromMs !== undefined) {
      held.push({ server, turn, fromMs, untilMs: atMs })
      open.delete(turn)
    }
  }
  const untilMs = killedMs ?? Number.POSITIVE_INFINITY
  for (const [turn, fromMs] of open) held.push({ server, turn, fromMs, untilMs })
  return held
}
