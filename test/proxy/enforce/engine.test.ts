import { expect, test } from 'vitest'
import type { ConnectionFacts } from '../../../policy/facts.ts'
import type { PolicySnapshot } from '../../../policy/snapshot.ts'
import { createEngine } from '../../../proxy/enforce/engine.ts'
import { createKillSwitch, MAX_KILL_SWITCH_MS } from '../../../proxy/enforce/kill-switch.ts'
import type { ExtAuthzProviders } from '../../../proxy/ext-authz/providers.ts'
import type { PolicySource } from '../../../proxy/policy-source/policy-source.ts'
import { readPolicies } from '../../../proxy/policy-source/read-policies.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { denyAll, mesh, mtlsMode, workload } from '../mesh.ts'

const facts: ConnectionFacts = {
  ...{ peer: undefined, sourceIp: '10.0.0.1', remoteIp: '10.0.0.1', sni: undefined },
  ...{ destinationIp: '10.0.0.2', destinationPort: 8080 },
}

function start(text: string) {
  const { log, lines } = memoryLog()
  const clock = new FakeClock()
  const read = (of: string): PolicySnapshot =>
    readPolicies([{ name: 'a', text: of }], mesh).snapshot
  let current = read(text)
  const listeners = new Set<() => void>()
  const source: PolicySource = {
    current: () => current,
    status: () => ({
      source: 'test',
      loadedAt: clock.now(),
      objects: 0,
      problem: undefined,
      warnings: [],
    }),
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
  const killSwitch = createKillSwitch(clock, log)
  const providers: ExtAuthzProviders = {
    ask: () => Promise.reject(new Error('no policy here asks anybody')),
    [Symbol.dispose]() {},
  }
  const self = () => parseSpiffeId('spiffe://cluster.local/ns/shop/sa/cart')
  const engine = createEngine({ source, killSwitch, workload, providers, self, log })
  return {
    ...{ engine, killSwitch, clock, lines },
    write(next: string) {
      current = read(next)
      for (const listener of listeners) listener()
    },
  }
}

test('a new snapshot is in force, whole, before anybody is told of it', () => {
  const { engine, write } = start(`${denyAll()}---\n${mtlsMode('STRICT')}`)
  expect(engine.modeOf(8080)).toBe('STRICT')
  expect(engine.judgeConnection(facts).kind).toBe('deny')
  const heard: string[] = []
  engine.onChange(() => heard.push(`${engine.modeOf(8080)} ${engine.judgeConnection(facts).kind}`))
  write(mtlsMode('PERMISSIVE'))
  expect(heard).toEqual(['PERMISSIVE allow'])
})

test('the emergency switch opens everything, tells why and by whom, and ends by itself', async () => {
  const { engine, killSwitch, clock, lines } = start(`${denyAll()}---\n${mtlsMode('STRICT')}`)
  const state = () =>
    `${engine.modeOf(8080)} ${engine.strictMode()} ${engine.judgeConnection(facts).kind}`
  expect(state()).toBe('STRICT STRICT deny')
  killSwitch.on({ durationMs: 900_000, reason: 'incident 7', by: 'uid 0' })
  expect(state()).toBe('EMERGENCY EMERGENCY allow')
  await clock.sleepers(1)
  clock.advance(900_000)
  await expect.poll(state).toBe('STRICT STRICT deny')
  expect(lines.filter(({ audit }) => audit === true)).toMatchObject([
    { by: 'uid 0', reason: 'incident 7', until: '2026-01-01T00:15:00.000Z' },
    { reason: 'incident 7', msg: 'Kill switch ended by itself: policies are in force again' },
  ])
})

test('thrown again, the switch counts from then', async () => {
  const { engine, killSwitch, clock } = start(denyAll())
  killSwitch.on({ durationMs: 10_000, reason: 'a', by: 'b' })
  clock.advance(5_000)
  killSwitch.on({ durationMs: 10_000, reason: 'a', by: 'b' })
  clock.advance(6_000)
  expect(engine.inForce().isKilled).toBe(true)
  killSwitch.off('b')
  expect(engine.inForce().isKilled).toBe(false)
  killSwitch.off('b')
})

test.each([
  [0, 'why'],
  [MAX_KILL_SWITCH_MS + 1, 'why'],
  [Number.NaN, 'why'],
  [60_000, '  '],
  [60_000, 'x'.repeat(501)],
])('a switch of %d ms for %j is refused', (durationMs, reason) => {
  const { killSwitch } = start('')
  expect(() => killSwitch.on({ durationMs, reason, by: 'b' })).toThrow(/expected/)
  expect(killSwitch.state()).toBeUndefined()
})
