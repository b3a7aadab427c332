/** A stream of DeltaSecrets as a value: a client that does what it is told always has what it wants, and nothing is told twice. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { WorkloadUpdate } from '../../../agent/cache/identity.ts'
import { type DeltaState, differenceTo, hearDelta, NEW_DELTA } from '../../../agent/sds/delta.ts'
import { everySecret } from '../../../agent/sds/offered-secrets.ts'
import { DEFAULT_SDS_SETTINGS } from '../../../agent/sds/settings.ts'
import type { DeltaDiscoveryRequest } from '../../../proto/gen/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { fakeIdentity } from '../../fakes/identity-source.ts'

const request = (change: Partial<DeltaDiscoveryRequest> = {}): DeltaDiscoveryRequest => ({
  node: null,
  type_url: 't',
  resource_names_subscribe: [],
  resource_names_unsubscribe: [],
  initial_resource_versions: {},
  response_nonce: '',
  error_detail: null,
  ...change,
})
const IDS = ['a', 'b', 'c'].map((name) => `spiffe://example.org/${name}`)
const [A = '', B = ''] = IDS
const ROOT = 'spiffe://example.org'
const bundle = (name: string, root: string) => ({
  ...emptyBundle(parseTrustDomain(name)),
  x509Authorities: [{ der: Buffer.from(root), tainted: false }],
})
const world = (ids: readonly string[], generation = 0): WorkloadUpdate => ({
  identities: ids.map((id) => fakeIdentity(id, { chain: [Buffer.from(`${id} ${generation}`)] })),
  bundle: bundle('example.org', 'root'),
  federatedBundles: [],
})
const subscribe = (...names: readonly string[]) => ({ resource_names_subscribe: [...names] })
const unsubscribe = (...names: readonly string[]) => ({ resource_names_unsubscribe: [...names] })
const hear = (state: DeltaState, change: Partial<DeltaDiscoveryRequest>) =>
  hearDelta(state, request(change))
const tell = (state: DeltaState, update: WorkloadUpdate) => {
  const told = differenceTo(state, update, DEFAULT_SDS_SETTINGS)
  const { removed, unknown } = told
  return { state: told.state, sent: told.resources.map(({ name }) => name), removed, unknown, told }
}
/** Asked for `names` and told of `update`. */
const started = (update: WorkloadUpdate, ...names: readonly string[]) =>
  tell(hear(NEW_DELTA, subscribe(...names)), update)

test('nothing is told before anything is asked', () => {
  expect(tell(NEW_DELTA, world([A]))).toMatchObject({ sent: [], removed: [] })
})

test('what was told is not told again until it is another', () => {
  const { state, sent } = started(world([A]), A, 'default')
  expect(sent.sort()).toEqual(['default', A])
  expect(tell(state, world([A]))).toMatchObject({ sent: [], removed: [] })
  const renewed = tell(state, world([A], 1))
  expect(renewed.sent.sort()).toEqual(['default', A])
  expect(tell(renewed.state, world([A, B], 1))).toMatchObject({ sent: [], removed: [] })
})

test('a name that stands for nothing is told as removed once, and its secret when it comes', () => {
  const first = started(world([A]), B)
  expect(first).toMatchObject({ sent: [], removed: [B], unknown: [B] })
  const again = tell(first.state, world([A], 1))
  expect(again).toMatchObject({ sent: [], removed: [] })
  expect(tell(again.state, world([A, B], 1))).toMatchObject({ sent: [B], removed: [] })
})

test('a secret that goes is told as removed, and is not taken for a name that nobody knows', () => {
  const { state } = started(world([A]), A)
  const gone = tell(state, world([]))
  expect(gone).toMatchObject({ sent: [], removed: [A], unknown: [] })
  expect(tell(gone.state, world([]))).toMatchObject({ sent: [], removed: [] })
  expect(tell(gone.state, world([A]))).toMatchObject({ sent: [A], removed: [] })
})

test('whoever asks again for what it has is sent it again', () => {
  const { state } = started(world([A]), A)
  expect(tell(hear(state, subscribe(A)), world([A]))).toMatchObject({ sent: [A] })
})

test('whoever gives a name up is told no more of it', () => {
  const { state } = started(world([A, B]), A, B)
  const left = hear(state, unsubscribe(A))
  expect(tell(left, world([A, B], 1))).toMatchObject({ sent: [B], removed: [] })
  expect(tell(left, world([]))).toMatchObject({ removed: [B] })
})

test('no name in the first request is everything, and none in a later one is nothing new', () => {
  const { state, sent } = started(world([A, B]))
  expect(sent).toEqual([B, A, ROOT])
  expect(tell(hear(state, {}), world([A, B]))).toMatchObject({ sent: [], removed: [] })
  expect(tell(state, world([A]))).toMatchObject({ sent: [], removed: [B], unknown: [] })
})

test('everything can be asked for by its name, beside others, and given up', () => {
  const some = started(world([A, B]), 'default')
  const all = tell(hear(some.state, subscribe('*')), world([A, B]))
  expect(all.sent.sort()).toEqual([ROOT, A, B])
  const less = tell(hear(all.state, unsubscribe('*')), world([A, B], 1))
  expect(less).toMatchObject({ sent: ['default'], removed: [] })
})

test('a client that comes back is sent only what is not as it has it', () => {
  const { told } = started(world([A, B]), A, B)
  const has = Object.fromEntries(told.resources.map(({ name, version }) => [name, version]))
  const back = (change: object, update: WorkloadUpdate) =>
    tell(hear(NEW_DELTA, { initial_resource_versions: has, ...change }), update)
  expect(back(subscribe(A, B), world([A, B]))).toMatchObject({ sent: [], removed: [] })
  expect(back(subscribe(A, B), world([A, B], 1)).sent.sort()).toEqual([A, B])
  expect(back(subscribe(A, B), world([A]))).toMatchObject({ sent: [], removed: [B] })
  expect(back({}, world([A]))).toMatchObject({ sent: [ROOT], removed: [B] })
  expect(back(subscribe(A), world([]))).toMatchObject({ sent: [], removed: [A] })
})

test('what the node says counts for bundles: another validator is another version', () => {
  const { state } = started(world([]), 'ROOTCA')
  const fields = {
    disable_spiffe_cert_validation: { kind: 'boolValue' as const, boolValue: true },
  }
  const node = { id: '', cluster: '', user_agent_name: '', metadata: { fields } }
  expect(tell(hear(state, { node }), world([]))).toMatchObject({ sent: ['ROOTCA'] })
})

test('all bundles in one are refused to an Envoy without the validator, in the words of SPIRE', () => {
  const settings = { ...DEFAULT_SDS_SETTINGS, disableSpiffeCertValidation: true }
  const state = hear(NEW_DELTA, subscribe('ALL'))
  expect(() => differenceTo(state, world([]), settings)).toThrow(
    'unable to use "SPIFFE validator" on Envoy below 1.17',
  )
})

test('the version of an SVID is made of its chain alone, so that it tells nothing of the key', () => {
  const versionOf = (update: WorkloadUpdate) => started(update, A).told.resources[0]?.version
  const [identity] = world([A]).identities
  if (identity === undefined) throw new Error('there is an identity')
  const other = { ...world([A]), identities: [{ ...identity, key: Buffer.from('other') }] }
  expect(versionOf(other)).toBe(versionOf(world([A])))
})

/** What a client may say, and what may happen, in any order. */
const names = fc.subarray(['default', 'ROOTCA', ...IDS, 'nobody', '*'])
const event = fc.oneof(
  fc.record({ kind: fc.constant('ask' as const), more: names, less: names }),
  fc.record({
    kind: fc.constant('change' as const),
    ids: fc.subarray(IDS),
    generation: fc.nat(2),
  }),
)

test('a client that does as it is told has all that it wants as it is now, whatever happens', () => {
  fc.assert(
    fc.property(names, fc.array(event, { maxLength: 25 }), (first, events) => {
      const client = new Map<string, string>()
      let update = world([])
      let state = hear(NEW_DELTA, subscribe(...first))
      const wanted = new Set(first)
      let wantsEverything = first.length === 0 || first.includes('*')
      const settle = () => {
        const { told, removed } = tell(state, update)
        state = told.state
        for (const { name, version } of told.resources) client.set(name, version)
        for (const name of removed) client.delete(name)
      }
      settle()
      for (const one of events) {
        if (one.kind === 'change') update = world(one.ids, one.generation)
        else {
          state = hear(state, {
            resource_names_subscribe: one.more,
            resource_names_unsubscribe: one.less,
          })
          for (const name of one.less) {
            wanted.delete(name)
            client.delete(name)
          }
          if (one.less.includes('*')) wantsEverything = false
          for (const name of one.more) wanted.add(name)
          if (one.more.includes('*')) wantsEverything = true
          if (!wantsEverything)
            for (const name of client.keys()) if (!wanted.has(name)) client.delete(name)
        }
        settle()
        // Whoever asks for the first time now is given just what the client has.
        const every = wantsEverything ? everySecret(update).map(({ name }) => name) : []
        const fresh = started(update, ...wanted, ...every, 'nobody').told
        const expected = new Map(
          fresh.resources
            .filter(({ name }) => wantsEverything || wanted.has(name))
            .filter(({ name }) => wanted.has(name) || every.includes(name))
            .map(({ name, version }) => [name, version]),
        )
        expect(Object.fromEntries(client)).toEqual(Object.fromEntries(expected))
      }
    }),
  )
})
