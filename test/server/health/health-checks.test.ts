import { expect, test } from 'vitest'
import type { Authority } from '../../../server/ca/slots.ts'
import { healthChecks } from '../../../server/health/health-checks.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const trustDomain = parseTrustDomain('example.org')
const HOUR_MS = 3_600_000
const START = new Date('2026-01-01T00:00:00Z')

const authority = (change: Partial<Authority> = {}): Authority => ({
  id: 'a',
  keySlot: 'A',
  issuedAt: START,
  notBefore: START,
  expiresAt: new Date(START.getTime() + 24 * HOUR_MS),
  ...change,
})

interface State {
  readonly active?: Authority | undefined
  readonly prepared?: Authority | undefined
  readonly hours?: number
  readonly hasBundle?: boolean
  readonly isLocked?: boolean
  readonly isShared?: boolean
}

/** The names of the parts that are unwell, those that need a restart in capitals. */
async function unwell(state: State) {
  const {
    active,
    prepared,
    hours = 1,
    hasBundle = true,
    isLocked = false,
    isShared = false,
  } = state
  const clock = new FakeClock(new Date(START.getTime() + hours * HOUR_MS))
  const checks = healthChecks({
    trustDomain,
    store: {
      turns: { isShared },
      bundles: { find: async () => (hasBundle ? emptyBundle(trustDomain) : undefined) },
      async checkHealth() {
        if (isLocked) throw new IdentityError('UNAVAILABLE', 'locked')
      },
    },
    authorities: [{ slots: () => ({ active, prepared, old: undefined }) }],
    clock,
  })
  const names: string[] = []
  for (const { name, check, isOnlyReadiness = false } of checks) {
    await check().catch((error) => {
      expect(error).toBeInstanceOf(IdentityError)
      names.push(isOnlyReadiness ? name : name.toUpperCase())
    })
  }
  return names
}

test.for<readonly [string, State, readonly string[]]>([
  ['nothing, in the first half of an authority’s life', { active: authority() }, []],
  [
    'the store, when it does not answer',
    { active: authority(), isLocked: true },
    ['CATALOG.DATASTORE'],
  ],
  [
    'the store, without a restart, when it does not answer and other servers share it',
    { active: authority(), isLocked: true, isShared: true },
    ['catalog.datastore'],
  ],
  [
    'the bundle, without a restart, when it is missing where other servers share the store',
    { active: authority(), hasBundle: false, isShared: true },
    ['server'],
  ],
  ['the server, without its bundle', { active: authority(), hasBundle: false }, ['SERVER']],
  ['the CA, without an authority', {}, ['SERVER.CA', 'server.ca.rotator']],
  [
    'the CA, when its authority has ended',
    { active: authority(), hours: 25 },
    ['SERVER.CA', 'server.ca.rotator'],
  ],
  [
    'nothing, in the minute in which the next authority is due',
    { active: authority(), hours: 12 + 1 / 120 },
    [],
  ],
  [
    'the rotation, when it is late',
    { active: authority(), hours: 12 + 1 / 30 },
    ['server.ca.rotator'],
  ],
  [
    'nothing, when the next authority is prepared',
    {
      active: authority(),
      prepared: authority({ id: 'b', issuedAt: new Date(START.getTime() + 12 * HOUR_MS) }),
      hours: 13,
    },
    [],
  ],
])('unwell is %s', async ([, state, names]) => {
  expect(await unwell(state)).toEqual(names)
})
