/**
 * How many calls of a port may be under way: each waits for an API server. Bounded for each address first, so that one
 * caller that asks without end takes nobody else's place.
 */
import { IdentityError } from '../../spiffe/error.ts'

export interface CallsAtOnce {
  /** @throws IdentityError RATE_LIMITED; else `leave` must follow, once */
  enter(address: string): void
  leave(address: string): void
}

export interface CallBounds {
  readonly perAddress: number
  readonly total: number
}

export function boundCalls({ perAddress, total }: CallBounds): CallsAtOnce {
  const underWay = new Map<string, number>()
  let all = 0
  return {
    enter(address) {
      const before = underWay.get(address) ?? 0
      if (before >= perAddress || all >= total) {
        const why = before >= perAddress ? `more than ${perAddress} of this address` : 'too many'
        throw new IdentityError('RATE_LIMITED', `${why} requests are under way; ask again later`)
      }
      underWay.set(address, before + 1)
      all += 1
    },
    leave(address) {
      const left = (underWay.get(address) ?? 0) - 1
      if (left > 0) underWay.set(address, left)
      else underWay.delete(address)
      all -= 1
    },
  }
}
