/** At which size each thing runs out when only that size grows, so that what bends first stands first. Pure. */
import { at, type Habits, type Model, needOf, steadyLoad, USABLE } from './model.ts'

export interface Limit {
  readonly what: string
  readonly of: 'agents' | 'entries' | 'changes a second'
  readonly size: number
}

/** V8 takes no more than this for objects unless it is told to, on machines with 15 GiB or more. */
export const HEAP_MIB = 4_096
/** Of a server that is started anew while others serve; a choice. */
const START_SECONDS = 60
/** server/nodes/cache-nodes.ts: beyond it nodes are asked of the database again. */
const NODES_IN_MEMORY = 20_000
/** server/api/sync/admission.ts */
const STREAMS_PER_SECOND = 200
/** Of one server whose clients come back to it within this time. */
const COMEBACK_SECONDS = 60
const MOST = 1e9

/** Of one server with habits as they are, from the narrowest on. */
export function limitsOf(model: Model, habits: Habits): readonly Limit[] {
  const firstThread = (changed: Partial<Habits>) => {
    const need = needOf(model, steadyLoad({ ...habits, servers: 1, ...changed }))
    return need.firstThreads <= USABLE
  }
  const limits: readonly Limit[] = [
    {
      ...{ what: `its first thread is ${USABLE * 100} % busy with agents alone`, of: 'agents' },
      size: largest((agents) => firstThread({ agents, entries: 0, changesPerSecond: 0 })),
    },
    {
      ...{ what: `its first thread is ${USABLE * 100} % busy with renewals alone`, of: 'entries' },
      size: largest((entries) => firstThread({ agents: 0, entries, changesPerSecond: 0 })),
    },
    {
      ...{ what: `its first thread is ${USABLE * 100} % busy with single changes alone` },
      of: 'changes a second',
      size: largest((changesPerSecond) => firstThread({ agents: 0, entries: 0, changesPerSecond })),
    },
    {
      ...{ what: `its objects fill the ${HEAP_MIB / 1024} GiB that V8 takes by itself` },
      of: 'entries',
      size: largest((entries) => model.baseMib + entries * model.entryMib <= HEAP_MIB),
    },
    {
      ...{ what: `its start takes ${START_SECONDS} s`, of: 'entries' },
      size: largest((entries) => at(model.startSeconds, entries) <= START_SECONDS),
    },
    {
      ...{ what: 'nodes no longer fit into its memory of nodes', of: 'agents' },
      size: NODES_IN_MEMORY,
    },
    {
      ...{ what: `all that come back to it at once need ${COMEBACK_SECONDS} s`, of: 'agents' },
      size: STREAMS_PER_SECOND * COMEBACK_SECONDS,
    },
  ]
  return limits.toSorted((a, b) => a.of.localeCompare(b.of) || a.size - b.size)
}

/** The largest size that holds, by halves. */
function largest(holds: (size: number) => boolean): number {
  let [low, high] = [0, MOST]
  while (high - low > Math.max(1, low / 1_000)) {
    const middle = (low + high) / 2
    if (holds(middle)) low = middle
    else high = middle
  }
  return Math.floor(low)
}
