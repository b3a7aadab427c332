/**
 * The connections at a Unix socket that are open: who is behind each, by the key that a handler sees as its peer, and how many each
 * process and each user has. One too many is closed before anything is read from it.
 */
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { UnixCaller } from './peer-credentials.ts'
import { type Bounds, type Excess, refusalOf, shareOut } from './share-out.ts'

/** Each takes two descriptors: one process shall not use up those of everybody. */
export const CONNECTIONS: Bounds = { perProcess: 1_024, total: 16_384 }
/** Processes that were cut, and are not told of again. */
const MAX_REMEMBERED_FLOODS = 1_024

export interface OpenConnections {
  /**
   * From now until it closes the connection is one of these, and its `remoteAddress` its key.
   * @returns whether it may be served; else it is destroyed
   */
  admit(caller: UnixCaller, socket: Socket): boolean
  /** Undefined: it has closed. */
  callerOf(key: string): UnixCaller | undefined
  cut(caller: UnixCaller): void
  cutAll(): void
  /** Cuts all of a process, and tells why: once, although it connects again. */
  cutProcess(pid: number, error: unknown): void
  /** Tells of what a process or a user has too much of; once, until it has no connection any more. */
  refused(excess: Excess, error: unknown): void
}

export function openConnections(onRefused: (error: unknown) => void): OpenConnections {
  const callers = new Map<string, UnixCaller>()
  const sockets = new Map<UnixCaller, Socket>()
  const held = shareOut(CONNECTIONS)
  const report = tellOnce(onRefused)
  const floods = new Set<number>()
  const leave = (key: string, caller: UnixCaller) => {
    callers.delete(key)
    sockets.delete(caller)
    held.release(caller, 1)
    if (held.heldBy(caller.pid) === 0) report.forget('process', caller.pid)
    if (held.heldByUser(caller.uid) === 0) report.forget('user', caller.uid)
  }
  return {
    admit(caller, socket) {
      const excess = held.excess(caller, 1)
      if (excess !== undefined) {
        report.refused(excess, refusalOf(excess, 'open connections', 'it should share one'))
        socket.destroy() // fails closed: it has too many
        return false
      }
      held.hold(caller, 1)
      // The key is what a handler sees as its peer; unguessable, so no header can forge it.
      const key = `unix:${randomUUID()}`
      callers.set(key, caller)
      sockets.set(caller, socket)
      socket.once('close', () => leave(key, caller))
      Object.defineProperty(socket, 'remoteAddress', { value: key })
      return true
    },
    callerOf: (key) => callers.get(key),
    cut: (caller) => void sockets.get(caller)?.destroy(),
    cutAll() {
      for (const socket of sockets.values()) socket.destroy()
    },
    cutProcess(pid, error) {
      for (const [caller, socket] of sockets) if (caller.pid === pid) socket.destroy()
      if (floods.has(pid)) return
      if (floods.size === MAX_REMEMBERED_FLOODS) floods.clear()
      floods.add(pid)
      onRefused(error)
    },
    refused: report.refused,
  }
}

/** Remembers as many processes and users as have connections. */
function tellOnce(tell: (error: unknown) => void) {
  const told = new Set<string>()
  return {
    refused({ whose, id }: Excess, error: unknown): void {
      const who = `${whose} ${id}`
      if (told.has(who)) return
      told.add(who)
      tell(error)
    },
    forget: (whose: Excess['whose'], id: number) => void told.delete(`${whose} ${id}`),
  }
}
