import { beforeAll, expect, test } from 'vitest'
import { createBundleRefresher } from '../../../server/federation/refresh-bundles.ts'
import type { FederationRelationship } from '../../../server/federation/relationship.ts'
import { createBell } from '../../../spiffe/bell.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain, type TrustDomain } from '../../../spiffe/id.ts'
import { type TestCa, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'

const partner = parseTrustDomain('partner.org')
const web = (endpointUrl: string): FederationRelationship => ({
  trustDomain: partner,
  endpointUrl,
  profile: { kind: 'https_web' },
})
let ca: TestCa
beforeAll(async () => {
  ca = await testCa({ trustDomain: 'partner.org' })
})

function refreshing(
  answer: (relationship: FederationRelationship) => Bundle | Promise<Bundle>,
  settings: {
    readonly configured?: readonly FederationRelationship[]
    readonly made?: FederationRelationship[]
    /** Another server fetches: only what is made here is looked at. */
    readonly isBeside?: boolean
  } = {},
) {
  const { configured = [], made = [web('https://api.example')], isBeside = false } = settings
  const clock = new FakeClock()
  const [changed, changedHere] = [createBell(), createBell()]
  const kept = new Map<TrustDomain, Bundle>()
  const asked: string[] = []
  const failures: string[] = []
  const changes: boolean[] = []
  const refresher = createBundleRefresher({
    ...{ configured, clock, changed, changedHere },
    federation: {
      list: async () => ({ items: made, nextToken: '' }),
      find: async (domain) => made.find(({ trustDomain }) => trustDomain === domain),
    },
    bundles: {
      find: async (domain) => kept.get(domain),
      async update(domain, change) {
        const next = change(kept.get(domain))
        if (next !== undefined) kept.set(domain, next)
        return next
      },
    },
    fetch: async (relationship) => {
      asked.push(relationship.endpointUrl)
      return answer(relationship)
    },
    onRefreshed: (_domain, isChanged) => changes.push(isChanged),
    onFailure: (_domain, error) => failures.push(String(error)),
  })
  const stop = new AbortController()
  const fetchingNew = refresher.fetchNew(stop.signal)
  const running = isBeside ? undefined : refresher.run(stop.signal)
  const end = () => {
    stop.abort()
    return Promise.all([fetchingNew, running])
  }
  return { refresher, clock, changed, changedHere, kept, asked, failures, changes, made, end }
}

const numbered = (sequenceNumber: number): Bundle => ({
  ...ca.bundle,
  ...{ sequenceNumber, refreshHintSeconds: 300 },
})

test('a bundle is fetched at once, and again at a quarter of its hint', async () => {
  let number = 1
  const { clock, kept, asked, changes, end } = refreshing(() => numbered(number++))
  await expect.poll(() => kept.get(partner)?.sequenceNumber).toBe(1)
  for (let elapsed = 0; elapsed < 75_000; elapsed += 5_000) {
    await clock.sleepers(1)
    expect(asked).toHaveLength(1)
    clock.advance(5_000)
  }
  await expect.poll(() => kept.get(partner)?.sequenceNumber).toBe(2)
  expect(changes).toEqual([true, true])
  await end()
})

test('when an endpoint fails, the last good bundle stays, the reason is known, and it is asked again soon', async () => {
  let isDown = false
  const { refresher, clock, kept, asked, failures, end } = refreshing(() => {
    if (isDown) throw new Error('connection refused')
    return numbered(1)
  })
  await expect.poll(() => refresher.standingOf(partner)?.failuresInARow).toBe(0)
  isDown = true
  clock.advance(75_000)
  await expect.poll(() => failures.length).toBe(1)
  expect(kept.get(partner)?.sequenceNumber).toBe(1)
  expect(refresher.standingOf(partner)).toMatchObject({
    ...{ failure: { reason: 'connection refused' }, failuresInARow: 1 },
    refreshedAt: new Date('2026-01-01T00:00:00Z'),
    nextAt: new Date(clock.now().getTime() + 5_000),
  })
  isDown = false
  await clock.sleepers(1)
  clock.advance(5_000)
  await expect.poll(() => refresher.standingOf(partner)?.failure).toBe(undefined)
  expect(asked).toHaveLength(3)
  await end()
})

test('an old bundle that is served again is a failure, and changes nothing', async () => {
  let number = 7
  const { clock, kept, failures, end } = refreshing(() => numbered(number))
  await expect.poll(() => kept.get(partner)?.sequenceNumber).toBe(7)
  number = 6
  clock.advance(75_000)
  await expect.poll(() => failures.length).toBe(1)
  expect(failures[0]).toContain('an old bundle was served again')
  expect(kept.get(partner)?.sequenceNumber).toBe(7)
  await end()
})

test('what the configuration says comes before what was said by API', async () => {
  const { asked, end } = refreshing(() => numbered(1), {
    configured: [web('https://configured.example')],
  })
  await expect.poll(() => asked).toEqual(['https://configured.example'])
  await end()
})

test('a relationship made by API is followed as soon as it is there, and no more once it is gone', async () => {
  const { refresher, clock, changed, asked, made, end } = refreshing(() => numbered(1), {
    made: [],
  })
  await clock.sleepers(1)
  expect(asked).toEqual([])
  made.push(web('https://new.example'))
  changed.ring()
  await expect.poll(() => asked).toEqual(['https://new.example'])
  await expect.poll(() => refresher.standingOf(partner)).toBeDefined()
  made.length = 0
  changed.ring()
  await expect.poll(() => refresher.standingOf(partner)).toBe(undefined)
  clock.advance(600_000)
  await clock.sleepers(1)
  expect(asked).toHaveLength(1)
  await end()
})

test('who asks for a refresh waits for it and hears why it failed', async () => {
  const { refresher, end } = refreshing(() => {
    throw new Error('connection refused')
  })
  const never = new AbortController().signal
  await expect(refresher.refresh(partner, never)).rejects.toThrow('connection refused')
  expect(await refresher.refresh(parseTrustDomain('none.org'), never)).toBe(false)
  await end()
})

test.for([
  ['removed', () => []],
  ['led to another endpoint', () => [web('https://other.example')]],
] as const)(
  'what a slow endpoint serves is not taken once its relationship was %s',
  async ([, after]) => {
    const slow = Promise.withResolvers<Bundle>()
    const never = new Promise<Bundle>(() => {})
    const answer = ({ endpointUrl }: FederationRelationship) =>
      endpointUrl === 'https://api.example' ? slow.promise : never
    const { kept, asked, made, failures } = refreshing(answer)
    await expect.poll(() => asked).toHaveLength(1)
    made.splice(0, 1, ...after())
    slow.resolve(numbered(1))
    await expect.poll(() => failures).toHaveLength(1)
    expect(failures[0]).toContain('while its bundle was fetched')
    expect(kept.size).toBe(0)
  },
)

test('a relationship that leads to another endpoint is followed there at once, whatever the old one hinted', async () => {
  const { changed, asked, made, refresher, end } = refreshing(() => numbered(1))
  await expect.poll(() => refresher.standingOf(partner)).toBeDefined()
  made.splice(0, 1, web('https://other.example'))
  changed.ring()
  await expect.poll(() => asked).toEqual(['https://api.example', 'https://other.example'])
  await end()
})

test('beside a server that fetches, only a relationship that was made here and has no bundle is fetched, once', async () => {
  const one = refreshing(() => numbered(1), { isBeside: true })
  await one.clock.sleepers(1)
  expect(one.asked).toEqual([])
  one.changedHere.ring()
  await expect.poll(() => one.kept.get(partner)?.sequenceNumber).toBe(1)
  await one.clock.sleepers(1)
  one.changedHere.ring()
  one.clock.advance(3_600_000)
  await one.clock.sleepers(1)
  expect(one.asked).toHaveLength(1)
  await one.end()
})

test('a first fetch beside another server that fails is told, and left to that server', async () => {
  const failing = () => {
    throw new Error('connection refused')
  }
  const { clock, changedHere, asked, failures, end } = refreshing(failing, { isBeside: true })
  changedHere.ring()
  await expect.poll(() => failures).toEqual(['Error: connection refused'])
  await clock.sleepers(1)
  clock.advance(3_600_000)
  await clock.sleepers(1)
  expect(asked).toHaveLength(1)
  await end()
})

test('the server that fetches is not made to fetch twice by what is made there', async () => {
  const { clock, changed, changedHere, asked, end } = refreshing(() => numbered(1))
  changed.ring()
  changedHere.ring()
  await expect.poll(() => asked.length).toBe(1)
  await clock.sleepers(2)
  expect(asked).toHaveLength(1)
  await end()
})
