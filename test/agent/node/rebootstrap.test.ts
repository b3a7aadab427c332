import { expect, test } from 'vitest'
import { createDistrust } from '../../../agent/node/distrust.ts'
import {
  nextAttempt,
  type RebootstrapPolicy,
  rebootstrapStep,
  settlePolicy,
} from '../../../agent/node/rebootstrap.ts'
import { awaitRebootstrap } from '../../../agent/node/rebootstrap-loop.ts'
import type { TrustBegins } from '../../../agent/node/state.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { FakeClock } from '../../fakes/clock.ts'

const MINUTE_MS = 60_000
const auto: RebootstrapPolicy = { mode: 'auto', delayMs: 10 * MINUTE_MS }
const refusal = (why: string) =>
  new IdentityError('CERTIFICATE_UNTRUSTED', `the server is not to be trusted: ${why}`)
const NOT_SIGNED =
  'the trust bundle does not vouch for it: could not verify spiffe://x/spire/server: '
const unknown = refusal(`${NOT_SIGNED}certificate is signed by unknown authority`)

test.for([
  ['never', 0, { kind: 'never' }],
  ['never', 99 * MINUTE_MS, { kind: 'never' }],
  ['auto', 0, { kind: 'wait', leftMs: 10 * MINUTE_MS }],
  ['auto', 10 * MINUTE_MS - 1, { kind: 'wait', leftMs: 1 }],
  ['auto', 10 * MINUTE_MS, { kind: 'begin' }],
  ['always', 10 * MINUTE_MS, { kind: 'begin' }],
] as const)('with mode %s a server unknown for %i ms means %o', ([mode, passedMs, step]) => {
  const since = new Date('2026-01-01T00:00:00Z')
  const now = new Date(since.getTime() + passedMs)
  expect(rebootstrapStep({ ...auto, mode }, since, now)).toEqual(step)
})

test('an agent that cannot attest again does without, or refuses to run where the operator insists', () => {
  const disabled: string[] = []
  const deps = { onDisabled: (why: string) => disabled.push(why) }
  expect(settlePolicy(auto, true, deps)).toEqual(auto)
  expect(settlePolicy({ ...auto, mode: 'always' }, true, deps).mode).toBe('always')
  expect(settlePolicy({ ...auto, mode: 'never' }, false, deps).mode).toBe('never')
  expect(disabled).toEqual([])
  expect(settlePolicy(auto, false, deps).mode).toBe('never')
  expect(disabled).toEqual([expect.stringContaining('cannot attest again')])
  expect(() => settlePolicy({ ...auto, mode: 'always' }, false, deps)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test('attempts are counted from the moment at which the first one was begun', () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const first = nextAttempt(undefined, 'bootstrap', now)
  expect(first).toEqual({ mode: 'bootstrap', since: now, attempts: 1 })
  expect(nextAttempt(first, 'bootstrap', new Date(0))).toEqual({ ...first, attempts: 2 })
})

test.for([
  ['a server that does not answer', new IdentityError('UNAVAILABLE', 'no answer')],
  ['one that is another', refusal('it is spiffe://x/other, expected spiffe://x/spire/server')],
  ['one that is expired', refusal(`${NOT_SIGNED}leaf certificate expired at 2026`)],
  ['one that refuses the agent', new IdentityError('AGENT_NOT_ATTESTED', 'evicted')],
  ['an SVID that is not vouched for', new IdentityError('CERTIFICATE_UNTRUSTED', NOT_SIGNED)],
  ['anything else', new Error('certificate is signed by unknown authority')],
] as const)('%s is no reason to distrust', ([, error]) => {
  const distrust = createDistrust({ begins: undefined, note: () => {}, clock: new FakeClock() })
  distrust.failed(error)
  expect(distrust.current()).toBeUndefined()
})

test.for([
  'certificate is signed by unknown authority',
  'authority certificate has the name of the issuer and did not sign',
])('a server of which it says "%s" is distrusted from then on, until it is known again', (why) => {
  const clock = new FakeClock()
  const noted: (TrustBegins | undefined)[] = []
  const distrust = createDistrust({ begins: undefined, note: (one) => noted.push(one), clock })
  const since = clock.now()
  distrust.failed(refusal(NOT_SIGNED + why))
  clock.advance(MINUTE_MS)
  distrust.failed(refusal(NOT_SIGNED + why))
  expect(distrust.current()).toEqual({ mode: 'rebootstrap', since, attempts: 0 })
  expect(noted).toHaveLength(1)
  distrust.succeeded()
  distrust.succeeded()
  expect(noted).toEqual([expect.anything(), undefined])
})

function run(policy: RebootstrapPolicy, attest: () => Promise<never>) {
  const clock = new FakeClock()
  const distrust = createDistrust({ begins: undefined, note: () => {}, clock })
  const stop = new AbortController()
  const seen = { waiting: 0, attempts: [] as number[], failures: [] as unknown[] }
  const running = awaitRebootstrap(
    {
      ...{ policy, distrust, clock, random: () => 0.5 },
      bootstrapTrust: async () => ({ kind: 'insecure' }),
      attest,
      onWaiting: () => {
        seen.waiting++
      },
      onBegin: ({ attempts }) => seen.attempts.push(attempts),
      onFailure: (error) => seen.failures.push(error),
    },
    stop.signal,
  )
  return { clock, distrust, stop, seen, running }
}

test('a bundle that does not vouch for the server either is asked again and again, and nothing is given up meanwhile', async () => {
  const { clock, distrust, stop, seen, running } = run(auto, () => Promise.reject(unknown))
  await clock.sleepers(1)
  distrust.failed(unknown)
  for (let passed = 0; passed < 10 * MINUTE_MS; passed += 5_000) {
    clock.advance(5_000)
    await clock.sleepers(1)
  }
  expect(seen.waiting).toBe(1)
  clock.advance(5_000)
  await expect.poll(() => seen.failures).toEqual([unknown])
  await clock.sleepers(1)
  clock.advance(5_000)
  await expect.poll(() => seen.attempts).toEqual([1, 2])
  await clock.sleepers(1)
  distrust.succeeded()
  clock.advance(MINUTE_MS)
  await clock.sleepers(1)
  expect(seen.attempts).toEqual([1, 2])
  stop.abort()
  expect(await running).toBeUndefined()
})

test('without the operator’s word nothing is tried at all', async () => {
  const { running } = run({ ...auto, mode: 'never' }, () => Promise.reject(unknown))
  expect(await running).toBeUndefined()
})
