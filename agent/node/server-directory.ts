/**
 * Which servers there are, and in which order they are to be tried: every record of every name, in a random order of
 * the agent's own, so that agents spread; those that were left a moment ago come last. Nothing is forgotten when a
 * name cannot be looked up: the addresses it had are used on.
 */
import { isIP, isIPv6 } from 'node:net'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'

export interface HostPort {
  /** An IP address without brackets, or a DNS name. */
  readonly host: string
  readonly port: number
}

/** One place to connect to. */
export interface Candidate extends HostPort {
  /** The configured name that led here. */
  readonly name: string
}

/** @returns IP addresses, of both families in any order */
export type LookUp = (name: string) => Promise<readonly string[]>

export interface DirectoryOptions {
  readonly servers: readonly HostPort[]
  readonly lookUp: LookUp
  readonly clock: Clock
  /** Undefined: the order is as written. */
  readonly random: Random | undefined
}

export interface ServerDirectory {
  /** All names that can be looked up, or could be. @throws IdentityError UNAVAILABLE when there is none */
  find(): Promise<readonly Candidate[]>
  /** Comes last for a while. @param peer as `ip:port` */
  leave(peer: string): void
  /** Comes after those that were not left, until another one is avoided. @param peer as `ip:port` */
  avoid(peer: string): void
  /** Whether there was more than one place at the last look. */
  hasOthers(): boolean
  /** The configured name that led to this address; undefined when none did. @param peer as `ip:port` */
  nameOf(peer: string): string | undefined
}

/** Long enough for a restart; a server that is well again is found by those who come later. */
const LEFT_FOR_MS = 15_000
/** More than this behind all names is a mistake of somebody's DNS. */
const MAX_CANDIDATES = 256

export function openDirectory(options: DirectoryOptions): ServerDirectory {
  const { servers, lookUp, clock, random } = options
  const known = new Map<string, readonly string[]>()
  const leftAt = new Map<string, number>()
  let found: readonly Candidate[] = []
  let avoided: string | undefined
  /** When it was left; those that never were come first. */
  const rankOf = (one: Candidate) => {
    const peer = peerOf(one)
    return leftAt.get(peer) ?? (peer === avoided ? 1 : 0)
  }
  const addressesOf = async (name: string) => {
    if (isIP(name) !== 0) return [canonical(name)]
    const addresses = await lookUp(name).catch((error: unknown) => {
      const before = known.get(name)
      if (before === undefined) throw error
      return before
    })
    known.set(name, addresses)
    return addresses
  }
  return {
    async find() {
      const looked = await Promise.allSettled(
        servers.map(async ({ host: name, port }) =>
          (await addressesOf(name)).map((host): Candidate => ({ host, port, name })),
        ),
      )
      const all = looked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
      if (all.length === 0) throw nobody(servers, looked)
      const each = [...new Map(all.map((one) => [peerOf(one), one])).values()]
      found = each.slice(0, MAX_CANDIDATES)
      const nowMs = clock.now().getTime()
      for (const [peer, atMs] of leftAt) if (atMs + LEFT_FOR_MS <= nowMs) leftAt.delete(peer)
      const order = random === undefined ? [...found] : shuffled(found, random)
      // Stable: those that were not left keep their random order; of the others the longest gone comes first.
      return order.sort((a, b) => rankOf(a) - rankOf(b))
    },
    leave(peer) {
      leftAt.set(peer, clock.now().getTime())
    },
    avoid(peer) {
      avoided = peer
    },
    hasOthers: () => found.length > 1,
    nameOf: (peer) => found.find((one) => peerOf(one) === peer)?.name,
  }
}

/** `ip:port`, with brackets around IPv6. */
export function peerOf({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** IPv6 as the kernel writes it, so that a peer is found under its address. */
function canonical(address: string): string {
  const url = isIPv6(address) ? URL.parse(`http://[${address}]`) : null
  return url === null ? address : url.hostname.slice(1, -1)
}

function nobody(
  servers: readonly HostPort[],
  looked: readonly PromiseSettledResult<unknown>[],
): IdentityError {
  const why = looked.flatMap((one, at) =>
    one.status === 'rejected' ? `${servers[at]?.host}: ${reasonOf(one.reason)}` : [],
  )
  return new IdentityError('UNAVAILABLE', `Name resolution failed: ${why.join('; ')}`)
}

/** Fisher and Yates'. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items]
  return items.flatMap(() => left.splice(Math.floor(random() * left.length), 1))
}
