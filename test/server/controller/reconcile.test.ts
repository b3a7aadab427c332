/** The loop on a real store: entries come to be as declared, those of others stay, and what fails is tried again. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDesiredEntries } from '../../../server/controller/desired-entries.ts'
import { createOwnedEntries } from '../../../server/controller/owned-entries.ts'
import { type ReconcileDeps, reconcile } from '../../../server/controller/reconcile.ts'
import type { Entry, NewEntry } from '../../../server/entries/entry.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { createBell } from '../../../spiffe/bell.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { namespace, node, pod, settings, spiffeId } from './cluster.ts'

let store: Store
let clock: FakeClock
beforeEach(async () => {
  clock = new FakeClock()
  store = await openStore({ path: ':memory:', clock })
})
afterEach(async () => await store.close())

const GC_MS = 10_000

async function run(changed: Partial<ReconcileDeps> = {}) {
  const desired = createDesiredEntries({ settings, ignoredNamespaces: [] })
  const stop = new AbortController()
  const bell = createBell()
  const audited: string[] = []
  let ids = 0
  let failures: ReadonlyMap<string, string> = new Map()
  const { log, lines } = memoryLog()
  const start = () => {
    const stopListening = store.changes.onCommit(bell.ring)
    return reconcile(
      {
        ...{ desired, bell, clock, log, gcIntervalMs: GC_MS, entries: store.entries },
        owned: createOwnedEntries(store, 'ours.'),
        newId: () => `ours.${ids++}`,
        mustLead: () => {},
        audit: (method, entries) => void audited.push(`${method} ${entries.length}`),
        onSettled: (found) => {
          failures = new Map(found)
        },
        ...changed,
      },
      stop.signal,
    ).finally(stopListening)
  }
  desired.namespaceChanged({ kind: 'set', object: namespace('n'), before: undefined })
  desired.nodeChanged({ kind: 'set', object: node('one'), before: undefined })
  const running = start()
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 10) {
      clock.advance(10)
      for (let turn = 0; turn < 4; turn += 1) await nextTurn()
    }
  }
  return {
    ...{ desired, bell, audited, lines, pass },
    failures: () => [...failures.values()],
    setPod(name: string, labels: Readonly<Record<string, string>> = {}) {
      const object = pod('n', name, `uid-${name}`, 'one', labels)
      desired.podChanged({ kind: 'set', object, before: undefined })
      bell.ring()
    },
    dropPod(name: string) {
      const before = pod('n', name, `uid-${name}`, 'one')
      desired.podChanged({ kind: 'removed', before })
      bell.ring()
    },
    declare(spec: object) {
      const object = spiffeId('all', { spiffeIDTemplate: TEMPLATE, ...spec })
      desired.spiffeIdChanged({ kind: 'set', object, before: undefined })
      bell.ring()
    },
    end: async () => {
      stop.abort()
      clock.advance(60_000)
      await running
    },
  }
}

const TEMPLATE = 'spiffe://{{ .TrustDomain }}/{{ .PodMeta.Name }}'

const entries = async (): Promise<readonly Entry[]> =>
  (await store.entries.list({}, { size: 1_000, token: '' })).items

const paths = async () =>
  (await entries()).map((one) => `${one.id.split('.')[0]} ${one.spiffeId}`).sort()

const foreign = (id: string, path: string, selector = 'unix:uid:1'): NewEntry => ({
  id,
  spiffeId: parseSpiffeId(`spiffe://example.org/${path}`),
  parentId: parseSpiffeId('spiffe://example.org/spire/agent/k8s_psat/cluster-a/uid-of-one'),
  selectors: [parseSelector(selector)],
  ...{ x509SvidTtlSeconds: 0, jwtSvidTtlSeconds: 0, federatesWith: [], admin: false },
  ...{ downstream: false, expiresAt: undefined, dnsNames: [], storeSvid: false, hint: '' },
  ...{ disableX509SvidPrefetch: false, jwtSvidIncludeJti: false },
})

describe('the loop', () => {
  test('writes a burst at once, as one audited batch', async () => {
    const { declare, setPod, pass, audited, end } = await run()
    declare({})
    for (let at = 0; at < 50; at += 1) setPod(`p${at}`)
    await pass(200)
    expect(await entries()).toHaveLength(50)
    expect(audited).toEqual(['BatchCreateEntry 50'])
    await end()
  })

  test('puts right what somebody did to its entries', async () => {
    const { declare, setPod, pass, end } = await run()
    declare({ hint: 'ours' })
    setPod('a')
    await pass(200)
    const [entry] = await entries()
    await store.entries.update([
      { id: entry?.id ?? '', change: (now) => ({ ...now, hint: 'x', admin: true }) },
    ])
    await pass(200)
    expect((await entries())[0]).toMatchObject({ hint: 'ours', admin: false, id: entry?.id })
    await store.entries.remove([entry?.id ?? ''])
    await pass(200)
    expect(await paths()).toEqual(['ours spiffe://example.org/a'])
    await end()
  })

  test('tells of an entry in its way, and takes the place when it is free', async () => {
    await store.entries.create([foreign('by-hand', 'a', 'k8s:pod-uid:uid-a')])
    const { declare, setPod, pass, failures, lines, end } = await run()
    declare({})
    setPod('a')
    await pass(200)
    expect(failures()[0]).toContain('entry by-hand is there already')
    await pass(3 * GC_MS)
    const told = lines.filter(({ msg }) => msg === 'An entry could not be written')
    expect(told).toHaveLength(1)
    await store.entries.remove(['by-hand'])
    await pass(GC_MS + 200)
    expect(await paths()).toEqual(['ours spiffe://example.org/a'])
    expect(failures()).toEqual([])
    await end()
  })

  test('waits for the bundle of a trust domain, and goes on as soon as it is there', async () => {
    const { declare, setPod, pass, failures, end } = await run()
    declare({ federatesWith: ['other.test'] })
    setPod('a')
    await pass(200)
    expect(failures()[0]).toContain('no bundle of trust domain "other.test"')
    const other = parseTrustDomain('other.test')
    await store.bundles.update(other, () => emptyBundle(other))
    await pass(500)
    expect(await paths()).toEqual(['ours spiffe://example.org/a'])
    await end()
  })

  test('forgets nothing when the store does not answer', async () => {
    let isAway = true
    const create: Store['entries']['create'] = async (all) => {
      if (isAway) throw new IdentityError('UNAVAILABLE', 'the store is locked')
      return await store.entries.create(all)
    }
    const { declare, setPod, pass, lines, end } = await run({
      entries: { ...store.entries, create },
    })
    declare({})
    setPod('a')
    await pass(1_000)
    expect(await entries()).toEqual([])
    expect(lines.some(({ msg }) => msg.startsWith('Entries of the cluster could not'))).toBe(true)
    isAway = false
    await pass(20_000)
    expect(await paths()).toEqual(['ours spiffe://example.org/a'])
    await end()
  })

  test('writes nothing any more when another one leads', async () => {
    let leads = true
    const mustLead = () => {
      if (!leads) throw new IdentityError('UNAVAILABLE', 'the lease is not ours any more')
    }
    const { declare, setPod, dropPod, pass, end } = await run({ mustLead })
    declare({})
    setPod('a')
    await pass(200)
    leads = false
    setPod('b')
    dropPod('a')
    await pass(5_000)
    expect(await paths()).toEqual(['ours spiffe://example.org/a'])
    await end()
  })

  test('begins with what is there: keeps what is declared, removes what is not', async () => {
    await store.entries.create([
      foreign('ours.old', 'a', 'k8s:pod-uid:uid-a'),
      foreign('ours.gone', 'gone'),
      foreign('other', 'other'),
    ])
    const { declare, setPod, pass, audited, end } = await run()
    await pass(100)
    declare({})
    setPod('a')
    await pass(200)
    expect((await entries()).map(({ id }) => id).sort()).toContain('other')
    expect(await paths()).toEqual([
      'other spiffe://example.org/other',
      'ours spiffe://example.org/a',
    ])
    expect(audited[0]).toMatch(/^BatchDeleteEntry/)
    await end()
  })
})

test('whatever happens, entries of others are as they were, and ours as declared', async () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const act = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), name }),
    fc.record({ kind: fc.constant('drop' as const), name }),
    fc.record({ kind: fc.constant('remove' as const), name: fc.constantFrom('ours.0', 'ours.1') }),
    fc.record({ kind: fc.constant('pass' as const), name }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
      clock = new FakeClock()
      store = await openStore({ path: ':memory:', clock })
      await store.entries.create([
        foreign('one', 'one'),
        foreign('two', 'two', 'k8s:pod-uid:uid-b'),
      ])
      const before = await entries()
      const { declare, setPod, dropPod, pass, end } = await run()
      declare({})
      const there = new Set<string>()
      for (const { kind, name: on } of acts) {
        if (kind === 'set' && !there.has(on)) {
          there.add(on)
          setPod(on)
        }
        if (kind === 'drop' && there.delete(on)) dropPod(on)
        if (kind === 'remove') await store.entries.remove([on])
        if (kind === 'pass') await pass(50)
      }
      await pass(GC_MS + 500)
      const after = await entries()
      await end()
      await store.close()
      expect(after.filter(({ id }) => !id.startsWith('ours.'))).toEqual(before)
      const ours = after.filter(({ id }) => id.startsWith('ours.')).map((one) => one.spiffeId)
      expect(ours.sort()).toEqual([...there].map((one) => `spiffe://example.org/${one}`).sort())
    }),
    { numRuns: 15 },
  )
})
