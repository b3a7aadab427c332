import { expect, test } from 'vitest'
import { openFederatedView } from '../../../server/bundle/federated-view.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain, type TrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const own = parseTrustDomain('example.org')
const partner = parseTrustDomain('partner.org')
const bundle = (trustDomain: TrustDomain, sequenceNumber: number): Bundle => ({
  ...emptyBundle(trustDomain),
  sequenceNumber,
})

async function setUp() {
  const stored = new Map([own, partner].map((name) => [name, bundle(name, 1)]))
  const clock = new FakeClock()
  const state = { isDown: false, changes: 0, failures: 0 }
  const mustBeUp = () => {
    if (state.isDown) throw new IdentityError('UNAVAILABLE', 'down')
  }
  const view = await openFederatedView({
    bundles: {
      async find(name) {
        mustBeUp()
        return stored.get(name)
      },
      async list() {
        mustBeUp()
        return { items: [...stored.values()], nextToken: '' }
      },
    },
    trustDomain: own,
    clock,
    onChange: () => {
      state.changes += 1
    },
    onFailure: () => {
      state.failures += 1
    },
  })
  const stop = new AbortController()
  const ended = view.follow(stop.signal)
  return {
    ...{ view, stored, state, clock },
    sequence: () => view.find(partner)?.sequenceNumber,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

test('the bundles of others are there from the start, the server’s own is not among them', async () => {
  await using following = await setUp()
  expect(following.sequence()).toBe(1)
  expect(following.view.find(own)).toBeUndefined()
})

test('a bundle that is written or removed is known at once', async () => {
  await using following = await setUp()
  following.stored.set(partner, bundle(partner, 2))
  following.view.note(new Set([partner]))
  await expect.poll(following.sequence).toBe(2)
  following.stored.delete(partner)
  following.view.note('all')
  await expect.poll(following.sequence).toBeUndefined()
  expect(following.state.changes).toBe(2)
})

test('while the store cannot be read the last bundles stay, and what was written meanwhile is not missed', async () => {
  await using following = await setUp()
  following.state.isDown = true
  following.stored.set(partner, bundle(partner, 2))
  following.view.note(new Set([partner]))
  await expect.poll(() => following.state.failures).toBe(1)
  expect(following.sequence()).toBe(1)
  following.state.isDown = false
  await following.clock.sleepers(1)
  following.clock.advance(1_000)
  await expect.poll(following.sequence).toBe(2)
})
