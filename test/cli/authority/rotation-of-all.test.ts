import { describe, expect, test } from 'vitest'
import {
  chooseTargets,
  nextSteps,
  type Overview,
  type WishOfAll,
} from '../../../cli/authority/rotation-of-all.ts'
import type { ServerProgress } from '../../../proto/gen/steeple/server/authority/v1/ServerProgress.ts'
import type { ServerState } from '../../../proto/gen/steeple/server/authority/v1/ServerState.ts'
import type { Standing } from '../../../proto/gen/steeple/server/authority/v1/Standing.ts'

const standing = (authority_id: string, more: Partial<Standing> = {}): Standing => ({
  ...{ authority_id, issued_at: 1, expires_at: 100, tainted: false, behind: [], behind_count: 0 },
  ...{ uses: [], use_count: 0, unknown_until: 0, ...more },
})

interface Slots {
  readonly prepared?: Standing
  readonly active?: Standing
  readonly old?: Standing
  readonly state?: ServerState
  readonly activation?: ServerProgress['activation']
}

const server = (key: string, { state = 'LIVING', activation = 'BY_HAND', ...slots }: Slots) => ({
  server: {
    ...{ key, state, name: '', address: '', version: '', started_at: 0, seen_seconds_ago: 60 },
    ...{ x509: null, jwt: null },
  },
  prepared: slots.prepared ?? null,
  active: slots.active ?? null,
  old: slots.old ?? null,
  activation,
})

const of = (servers: ServerProgress[], others: Standing[] = []): Overview => {
  return { servers, others, has_upstream: false }
}
const wish = (targets: readonly string[], more: Partial<WishOfAll> = {}): WishOfAll => {
  return { targets, without: [], until: 'revoke', isForced: false, ...more }
}
const steps = (overview: Overview, wished: WishOfAll) =>
  nextSteps(overview, wished).map(({ serverKey, decision }) =>
    decision.kind === 'take'
      ? `${decision.step} ${decision.authorityId} at ${serverKey}`
      : decision.kind === 'wait'
        ? `wait ${decision.reason} ${decision.standing.authority_id}`
        : `done ${decision.why}`,
  )

describe('which authorities are to go', () => {
  const chosen = (overview: Overview, named: string[] = [], without: string[] = []) => {
    const targets = chooseTargets(overview, named, without)
    return targets.kind === 'targets' ? targets.ids : targets.why
  }

  test('those that sign, at every server', () => {
    const servers = [
      server('a', { active: standing('a1') }),
      server('b', { active: standing('b1') }),
    ]
    expect(chosen(of(servers))).toEqual(['a1', 'b1'])
  })

  test('where some have been activated already, it goes on with the old ones of those', () => {
    const a = server('a', { active: standing('a2'), old: standing('a1') })
    const b = server('b', { active: standing('b1'), prepared: standing('b2') })
    expect(chosen(of([a, b]))).toEqual(['a1', 'b1'])
  })

  test('a server that has come to the end does not begin anew while another is ending', () => {
    const a = server('a', { active: standing('a2') })
    const b = server('b', { active: standing('b2'), old: standing('b1', { tainted: true }) })
    expect(chosen(of([a, b]))).toEqual(['b1'])
  })

  test.for(['SILENT', 'STOPPED', 'MUTE'] as const)(
    'a %s server is named, and nothing is chosen',
    (state) => {
      const servers = [server('a', { active: standing('a1') }), server('b', { state })]
      expect(chosen(of(servers))).toContain('server b')
      expect(chosen(of(servers), ['a1'])).toContain('server b')
    },
  )

  test('of a server that is left out all authorities go', () => {
    const a = server('a', { active: standing('a1') })
    const b = server('b', { state: 'SILENT', active: standing('b1'), old: standing('b0') })
    expect(chosen(of([a, b]), [], ['b'])).toEqual(['a1', 'b1', 'b0'])
    expect(chosen(of([a, b]), ['b1'], ['b'])).toEqual(['b1'])
  })

  test('a server that lives cannot be left out, nor one that is not there', () => {
    const servers = [server('a', { state: 'HERE' }), server('b', {})]
    expect(chosen(of(servers), [], ['a'])).toContain('lives, so it cannot be left out')
    expect(chosen(of(servers), [], ['b'])).toContain('lives, so it cannot be left out')
    expect(chosen(of(servers), [], ['c'])).toContain('there is no server c')
  })

  test('an authority that nobody knows is refused', () => {
    expect(chosen(of([server('a', { active: standing('a1') })]), ['x'])).toContain('no server has')
  })

  test('a server that cannot tell which one is to go is named', () => {
    const a = server('a', { active: standing('a2'), old: standing('a1'), activation: 'UNKNOWN' })
    expect(chosen(of([a]))).toMatch(/^server a: .*-authorityID a1/s)
  })
})

describe('what is done next', () => {
  test('all are prepared before any is activated', () => {
    const a = server('a', { active: standing('a1'), prepared: standing('a2') })
    const b = server('b', { active: standing('b1') })
    expect(steps(of([a, b]), wish(['a1', 'b1']))).toEqual(['prepare  at b'])
  })

  test('each is activated once everybody has heard of it', () => {
    const a = server('a', { active: standing('a1'), prepared: standing('a2') })
    const b = server('b', { active: standing('b1'), prepared: standing('b2', { behind_count: 1 }) })
    expect(steps(of([a, b]), wish(['a1', 'b1']))).toEqual(['activate a2 at a'])
    const after = server('a', { active: standing('a2'), old: standing('a1') })
    expect(steps(of([after, b]), wish(['a1', 'b1']))).toEqual(['wait unheard b2'])
  })

  test('nothing is tainted before all are activated, or revoked before all are tainted', () => {
    const a = server('a', { active: standing('a2'), old: standing('a1', { tainted: true }) })
    const b = server('b', { active: standing('b2'), old: standing('b1') })
    expect(steps(of([a, b]), wish(['a1', 'b1']))).toEqual(['taint b1 at b'])
    const late = server('b', { active: standing('b1'), prepared: standing('b2') })
    expect(steps(of([a, late]), wish(['a1', 'b1']))).toEqual(['activate b2 at b'])
  })

  test('what is in use anywhere is waited for, unless it is forced', () => {
    const a = server('a', {
      active: standing('a2'),
      old: standing('a1', { tainted: true, use_count: 1 }),
    })
    expect(steps(of([a]), wish(['a1']))).toEqual(['wait in-use a1'])
    expect(steps(of([a]), wish(['a1'], { isForced: true }))).toEqual(['revoke a1 at a'])
  })

  test('what a lost server signed with is tainted at once and revoked when it has surely ended', () => {
    const a = server('a', { active: standing('a1') })
    const lost = (one: Standing) => of([a, server('b', { state: 'SILENT', active: one })])
    const wished = wish(['b1'], { without: ['b'] })
    expect(steps(lost(standing('b1', { unknown_until: 50 })), wished)).toEqual(['taint b1 at '])
    const tainted = standing('b1', { tainted: true, unknown_until: 50 })
    expect(steps(lost(tainted), wished)).toEqual(['wait in-use b1'])
    expect(steps(lost({ ...tainted, unknown_until: 0 }), wished)).toEqual(['revoke b1 at '])
  })

  test('it is done when all are out of the bundle, or as far as was asked', () => {
    const a = server('a', { active: standing('a2') })
    expect(steps(of([a]), wish(['a1', 'b1']))).toEqual(['done gone', 'done gone'])
    const b = server('b', { active: standing('b1'), prepared: standing('b2') })
    expect(steps(of([b]), wish(['b1'], { until: 'prepare' }))).toEqual(['done as-far-as-asked'])
  })
})
