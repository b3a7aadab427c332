/** Each reason why a process has no identity, and which of two is told first. */
import { expect, test } from 'vitest'
import { conclude, nearEntries } from '../../../agent/explain/conclude.ts'
import type {
  Facts,
  HeldEntry,
  RegisteredEntry,
  ServerFacts,
} from '../../../agent/explain/facts.ts'
import { ago } from '../../../agent/explain/phrase.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { parseSelector, type Selector } from '../../../spiffe/selector.ts'

const NOW = new Date('2026-01-01T12:00:00Z')
const agentId = parseSpiffeId('spiffe://example.org/spire/agent/x509pop/1')
const otherAgent = parseSpiffeId('spiffe://example.org/spire/agent/x509pop/2')
const web = parseSpiffeId('spiffe://example.org/web')
const selectors = (...texts: readonly string[]): readonly Selector[] => texts.map(parseSelector)

const held = (change: Partial<HeldEntry> = {}): HeldEntry => ({
  entryId: 'e1',
  id: web,
  selectors: selectors('unix:uid:0'),
  storeSvid: false,
  hasSvid: true,
  ...change,
})

const registered = (change: Partial<RegisteredEntry> = {}): RegisteredEntry => ({
  entryId: 'r1',
  id: web,
  parentId: agentId,
  selectors: selectors('unix:uid:0'),
  storeSvid: false,
  createdAt: new Date(NOW.getTime() - 1_000),
  expiresAt: undefined,
  ...change,
})

const server = (change: Partial<ServerFacts> = {}): ServerFacts => ({
  standing: 'attested',
  entries: [],
  parents: new Set([agentId]),
  ...change,
})

const facts = (change: Partial<Facts> = {}): Facts => ({
  pid: 12,
  agentId,
  now: NOW,
  sync: { lastSuccessAt: new Date(NOW.getTime() - 3_000), failure: undefined },
  findings: [
    { attestor: 'unix', selectors: selectors('unix:uid:0', 'unix:gid:0'), error: undefined },
  ],
  held: [],
  server: undefined,
  ...change,
})

const failed = { attestor: 'unix', selectors: [], error: 'the process has ended' }
const lacking = held({ selectors: selectors('unix:uid:1001', 'unix:gid:0') })
const inPods = held({ selectors: selectors('k8s:ns:shop') })
const past = new Date(NOW.getTime() - 60_000)

test.for([
  [
    'issued',
    facts({ held: [held()] }),
    'process 12 has an identity: entry e1 (spiffe://example.org/web) matches and is served',
  ],
  [
    'svid-pending',
    facts({ held: [held({ hasSvid: false })] }),
    'the agent has no SVID of it yet; if this lasts',
  ],
  ['store-only', facts({ held: [held({ storeSvid: true })] }), 'its SVIDs go to a store'],
  [
    'attestation-failed',
    facts({ findings: [failed] }),
    'no attestor could say what process 12 is: unix: the process has ended',
  ],
  [
    'agent-banned',
    facts({ server: server({ standing: 'banned' }) }),
    `the server has banned ${agentId}`,
  ],
  [
    'agent-unknown',
    facts({ server: server({ standing: 'unknown' }) }),
    `the server does not know ${agentId}`,
  ],
  [
    'not-synced-yet',
    facts({ server: server({ entries: [registered()] }) }),
    'was created 1 second ago, but the agent has not got it yet; it last heard from the server 3 seconds ago; wait a moment',
  ],
  [
    'expired',
    facts({ server: server({ entries: [registered({ expiresAt: past })] }) }),
    'it expired at 2026-01-01T11:59:00.000Z',
  ],
  [
    'wrong-parent',
    facts({ server: server({ entries: [registered({ parentId: otherAgent })] }) }),
    `its parent is ${otherAgent}, which is neither this agent, ${agentId}, nor an alias of it`,
  ],
  [
    'never-synced',
    facts({ sync: { lastSuccessAt: undefined, failure: 'connection refused' }, held: [lacking] }),
    'has not heard from the server since it started: connection refused',
  ],
  [
    'attestor-absent',
    facts({ held: [inPods] }),
    'it wants k8s:ns:shop, and this agent has no k8s attestor (it has unix)',
  ],
  [
    'attestor-failed',
    facts({
      held: [inPods],
      findings: [
        ...facts().findings,
        { attestor: 'k8s', selectors: [], error: 'kubelet says 401' },
      ],
    }),
    'it wants k8s:ns:shop, and the k8s attestor failed: kubelet says 401',
  ],
  [
    'selector-missing',
    facts({ held: [lacking] }),
    'no entry matches process 12; entry e1 (spiffe://example.org/web) comes closest, but the process lacks unix:uid:1001',
  ],
  ['no-entries', facts(), 'the agent has no registration entries for workloads'],
] as const)('tells %s', ([kind, given, part]) => {
  const conclusion = conclude(given)
  expect(conclusion.kind).toBe(kind)
  expect(conclusion.sentence).toContain(part)
  expect(conclusion.sentence).not.toMatch(/\.$/)
})

test.for([
  [
    'being served',
    'a ban',
    facts({ held: [held()], server: server({ standing: 'banned' }) }),
    'issued',
  ],
  [
    'a served entry',
    'one for a store',
    facts({ held: [held({ entryId: 'e0', storeSvid: true }), held()] }),
    'issued',
  ],
  [
    'a ban',
    'an entry that has not come yet',
    facts({ server: server({ standing: 'banned', entries: [registered()] }) }),
    'agent-banned',
  ],
  [
    'an entry on its way',
    'one that expired',
    facts({
      server: server({ entries: [registered({ entryId: 'r0', expiresAt: past }), registered()] }),
    }),
    'not-synced-yet',
  ],
  [
    'an expired entry',
    'one of another agent',
    facts({
      server: server({
        entries: [
          registered({ entryId: 'r0', parentId: otherAgent }),
          registered({ expiresAt: past }),
        ],
      }),
    }),
    'expired',
  ],
  [
    'an entry of another agent',
    'one with a selector too many',
    facts({ held: [lacking], server: server({ entries: [registered({ parentId: otherAgent })] }) }),
    'wrong-parent',
  ],
  [
    'a silent server',
    'the closest entry',
    facts({ sync: { lastSuccessAt: undefined, failure: undefined }, held: [lacking] }),
    'never-synced',
  ],
  [
    'a matching entry of an earlier run',
    'a silent server',
    facts({ sync: { lastSuccessAt: undefined, failure: 'away' }, held: [held()] }),
    'issued',
  ],
] as const)('%s is told before %s', ([, , given, kind]) => {
  expect(conclude(given).kind).toBe(kind)
})

test('an agent that is out of sync says so, whatever it waits for', () => {
  const sync = { lastSuccessAt: past, failure: 'connection refused' }
  const late = conclude(facts({ sync, server: server({ entries: [registered()] }) }))
  expect(late.sentence).toContain('1 minute ago: connection refused')
  expect(conclude(facts({ sync, held: [held({ hasSvid: false })] })).sentence).toContain(
    'not in sync with the server: connection refused',
  )
})

test('an expired entry of another agent helps nobody, so it is not named', () => {
  const entries = [registered({ parentId: otherAgent, expiresAt: past })]
  expect(conclude(facts({ server: server({ entries }) })).kind).toBe('no-entries')
})

test('an entry that the agent has is not taken for one that it has not got', () => {
  const both = { entryId: 'same', selectors: selectors('unix:uid:1001') }
  const given = facts({ held: [held(both)], server: server({ entries: [registered(both)] }) })
  expect(nearEntries(given, new Set(selectors('unix:uid:0')))).toHaveLength(1)
})

test('the remedy registers the process for this very agent, by what tells it', () => {
  expect(conclude(facts({ held: [lacking] })).remedy).toEqual({
    kind: 'create',
    parentId: agentId,
    id: web,
    selectors: ['unix:uid:0'],
  })
  expect(conclude(facts()).remedy).toMatchObject({ id: 'spiffe://example.org/workload/workload' })
})

test('the remedy of a wrong parent is the same entry below this agent', () => {
  const entries = [registered({ parentId: otherAgent, selectors: selectors('unix:gid:0') })]
  const { remedy } = conclude(facts({ server: server({ entries }) }))
  expect(remedy).toEqual({ kind: 'create', parentId: agentId, id: web, selectors: ['unix:gid:0'] })
})

test('no command is offered where none would help', () => {
  for (const given of [
    facts({ held: [held({ hasSvid: false })] }),
    facts({ findings: [failed] }),
    facts({ held: [inPods] }),
    facts({ server: server({ entries: [registered()] }) }),
  ])
    expect(conclude(given).remedy).toBeUndefined()
})

test('what goes to the log shows no selector', () => {
  for (const given of [
    facts({ held: [lacking] }),
    facts({ held: [inPods] }),
    facts(),
    facts({ held: [held()] }),
  ])
    expect(conclude(given).brief).not.toMatch(/unix:|k8s:/)
})

test.for([
  [0, 'just now'],
  [-5_000, 'just now'],
  [999, 'just now'],
  [1_000, '1 second ago'],
  [59_999, '59 seconds ago'],
  [60_000, '1 minute ago'],
  [7_200_000, '2 hours ago'],
  [200_000_000, '2 days ago'],
] as const)('%d ms back is %s', ([ms, text]) => {
  expect(ago(ms)).toBe(text)
})
