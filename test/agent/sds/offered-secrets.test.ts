/** Names of secrets: what each stands for, and that none stands for what is another workload's. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { WorkloadUpdate } from '../../../agent/cache/identity.ts'
import { chooseSecrets, everySecret } from '../../../agent/sds/offered-secrets.ts'
import { DEFAULT_SDS_SETTINGS } from '../../../agent/sds/settings.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { fakeIdentity } from '../../fakes/identity-source.ts'

const bundleOf = (name: string) => emptyBundle(parseTrustDomain(name))
const WEB = 'spiffe://example.org/web'
const DB = 'spiffe://example.org/db'
const update: WorkloadUpdate = {
  identities: [fakeIdentity(WEB), fakeIdentity(DB)],
  bundle: bundleOf('example.org'),
  federatedBundles: [bundleOf('a.org'), bundleOf('z.org')],
}
const choose = (names: readonly string[], change: Partial<WorkloadUpdate> = {}) =>
  chooseSecrets({ ...update, ...change }, new Set(names), DEFAULT_SDS_SETTINGS)

test('everything is each bundle and each SVID under its own ID, and no other name', () => {
  expect(everySecret(update).map(({ name }) => name)).toEqual([
    'spiffe://example.org',
    'spiffe://a.org',
    'spiffe://z.org',
    WEB,
    DB,
  ])
})

test('the default name is that of the first identity', () => {
  expect(choose(['default']).secrets).toEqual([
    { kind: 'svid', name: 'default', identity: update.identities[0] },
  ])
})

test('one secret may be asked for by both of its names at once', () => {
  const { secrets, unknown } = choose(['default', WEB, 'ROOTCA', 'spiffe://example.org'])
  expect(secrets).toHaveLength(4)
  expect(unknown).toEqual([])
})

test('all bundles in one are the own and those that the workload federates with, in order', () => {
  const [secret] = choose(['ALL']).secrets
  expect(secret?.kind === 'bundles' && secret.bundles.map((one) => one.trustDomain)).toEqual([
    'a.org',
    'example.org',
    'z.org',
  ])
})

test('names are those that the operator chose', () => {
  const names = {
    defaultSvidName: 'own',
    defaultBundleName: 'root',
    defaultAllBundlesName: 'every',
  }
  const settings = { ...DEFAULT_SDS_SETTINGS, ...names }
  const asked = new Set(['own', 'root', 'every', 'default', 'ROOTCA', 'ALL'])
  const { secrets, unknown } = chooseSecrets(update, asked, settings)
  expect(secrets.map(({ name }) => name)).toEqual(['root', 'every', 'own'])
  expect(unknown).toEqual(['ALL', 'ROOTCA', 'default'])
})

test('Istio’s name of the root can be given to all bundles, for meshes that federate', () => {
  const settings = {
    ...DEFAULT_SDS_SETTINGS,
    ...{ defaultBundleName: 'null', defaultAllBundlesName: 'ROOTCA' },
  }
  const { secrets, unknown } = chooseSecrets(update, new Set(['default', 'ROOTCA']), settings)
  expect(unknown).toEqual([])
  expect(secrets).toMatchObject([{ kind: 'bundles', name: 'ROOTCA' }, { kind: 'svid' }])
})

test('a name of the operator that is an ID too stands for the ID', () => {
  const settings = { ...DEFAULT_SDS_SETTINGS, defaultSvidName: DB }
  const { secrets } = chooseSecrets(update, new Set([WEB, DB]), settings)
  expect(secrets).toMatchObject([{ name: WEB }, { name: DB, identity: { id: WEB } }])
})

test.for([
  'spiffe://example.org/other',
  'spiffe://example.org/web/',
  'spiffe://EXAMPLE.org/web',
  'spiffe://b.org',
  'spiffe://a.org/',
  'example.org',
  'Default',
  '__proto__',
  'constructor',
])('refuses %s, which is nothing of the workload’s', (name) => {
  expect(choose([name, 'default']).unknown).toEqual([name])
})

test('refuses the default name of a workload without an identity', () => {
  expect(choose(['default', 'ROOTCA'], { identities: [] })).toMatchObject({
    secrets: [{ name: 'ROOTCA' }],
    unknown: ['default'],
  })
})

test('every name that was asked for is answered once or refused once, and nothing else is given', () => {
  const known = ['default', 'ROOTCA', 'ALL', ...everySecret(update).map(({ name }) => name)]
  const name = fc.oneof(fc.constantFrom(...known), fc.string(), fc.webUrl())
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 20 }), (names) => {
      const { secrets, unknown } = choose(names)
      const given = secrets.map((one) => one.name)
      expect([...given, ...unknown].sort()).toEqual([...names].sort())
      expect(given.every((one) => known.includes(one))).toBe(true)
    }),
  )
})
