/** Turns over a real PostgreSQL with short times, and a checker that knows who works in which turn. */
import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { connect, type OwnSession } from '../../../../server/store/postgres/connection.ts'
import type { PostgresHost } from '../../../../server/store/postgres/postgres-config.ts'
import type { TurnsDeps } from '../../../../server/store/postgres/turn-session.ts'
import { openTurns } from '../../../../server/store/postgres/turns.ts'
import type { Turns, TurnTimes } from '../../../../server/store/turns.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import type { ClosableTurns } from '../turns-contract.ts'

/** As the real ones to each other, and long enough for a machine that has other things to do. */
export const TIMES: TurnTimes = { checkMs: 50, giveUpMs: 600, settleMs: 800, silenceMs: 800 }

export interface TurnsPlace extends PostgresHost {
  readonly database: string
}

export interface TurnsOptions extends Partial<Omit<TurnsDeps, 'openOwn'>> {
  /** What stands between the turns and their session. */
  readonly through?: (session: OwnSession) => OwnSession
}

export function turnsAt(
  { host, port, database }: TurnsPlace,
  holder: string,
  { through = (session) => session, ...options }: TurnsOptions = {},
): ClosableTurns {
  const connection = connect({
    config: {
      kind: 'postgres',
      primary: {
        hosts: [{ host, port }],
        ...{ user: 'steeple', password: undefined, database, applicationName: 'steeple' },
        ...{ options: undefined, wants: 'any', connectTimeoutMs: 10_000 },
        tls: { mode: 'disable', roots: undefined, client: undefined },
      },
      ...{ readOnly: undefined, maxOpenConnections: 5, maxIdleConnections: 2 },
      ...{ connectionLifeMs: undefined, migrates: true, logsSql: false },
    },
    clock: systemClock,
  })
  const turns = openTurns({
    openOwn: async () => through(await connection.openOwn()),
    ...{ holder, clock: systemClock, random: () => 0.5 },
    ...{ onFailure() {}, times: TIMES, ...options },
  })
  return {
    ...turns,
    async close() {
      await turns.close()
      await connection.close()
    },
  }
}

/** What was done in one turn, by whom, in order. */
export interface Checker {
  /** Holds the turn until the signal aborts, noting when it works. */
  hold(turns: Turns, holder: string, signal: AbortSignal): Promise<void>
  /** Who works now. */
  readonly working: ReadonlySet<string>
  /** Holders in the order in which they began. */
  readonly begun: readonly string[]
  /** Moments at which more than one worked. */
  readonly overlaps: readonly string[]
}

export function createChecker(name: string): Checker {
  const working = new Set<string>()
  const begun: string[] = []
  const overlaps: string[] = []
  return {
    ...{ working, begun, overlaps },
    hold: (turns, holder, signal) =>
      turns.hold(
        name,
        async (turn) => {
          if (working.size > 0) overlaps.push(`${holder} beside ${[...working].join()}`)
          working.add(holder)
          begun.push(holder)
          if (!turn.signal.aborted) await once(turn.signal, 'abort')
          working.delete(holder)
        },
        signal,
      ),
  }
}

/** A way to the database that can fall silent: it swallows everything, and neither end hears that the other is gone. */
export interface Relay extends AsyncDisposable {
  readonly port: number
  silence(): void
}

export async function relayTo(socketPath: string): Promise<Relay> {
  const sockets = new Set<Socket>()
  let isSilent = false
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const far = dial({ path: socketPath, allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('data', (bytes) => void (isSilent || to.write(bytes)))
      from.on('end', () => void (isSilent || to.end()))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the relay has no port')
  return {
    port: address.port,
    silence() {
      isSilent = true
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
