import { expect, test } from 'vitest'
import { readPolicies } from '../../../proxy/policy-source/read-policies.ts'
import { denyAll, mesh, mtlsMode } from '../mesh.ts'

const read = (text: string, name = 'a.yaml') => readPolicies([{ name, text }], mesh)

test('several documents and lists of objects make one snapshot', () => {
  const list = `apiVersion: v1
kind: List
items:
  - ${denyAll('listed').trim().replaceAll('\n', '\n    ')}
`
  const { snapshot, objects } = readPolicies(
    [
      { name: 'a.yaml', text: `${denyAll()}---\n${mtlsMode('STRICT')}---\n` },
      { name: 'b.yaml', text: list },
    ],
    mesh,
  )
  expect(objects).toBe(3)
  expect(snapshot.authorizationPolicies.map(({ name }) => name)).toEqual(['deny-all', 'listed'])
  expect(snapshot.peerAuthentications).toMatchObject([{ mode: 'STRICT' }])
})

test('objects of other kinds are left alone, and it is said', () => {
  const { objects, warnings } = read('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n')
  expect(objects).toBe(0)
  expect(warnings).toEqual(['a.yaml:1: a ConfigMap is no policy, and is left alone'])
})

test('a provider that the mesh does not have is a warning, for what it would be asked about is denied', () => {
  const ask = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: shop }
spec: { action: CUSTOM, provider: { name: opa }, rules: [{}] }
`
  const told = (settings: typeof mesh) =>
    readPolicies([{ name: 'a.yaml', text: ask }], settings).warnings
  expect(told(mesh)).toEqual([
    'AuthorizationPolicy shop/ask: spec.provider.name: there is no extension_provider "opa"; what its rules match is denied',
  ])
  expect(told({ ...mesh, extensionProviders: [{ name: 'opa', kind: 'grpc' }] })).toEqual([])
  const many = Array.from({ length: 60 }, (_, n) => ask.replace('name: ask', `name: ask-${n}`))
  const { warnings } = readPolicies([{ name: 'a.yaml', text: many.join('---\n') }], mesh)
  expect([warnings.length, warnings.at(-1)]).toEqual([51, 'and 10 more without their provider'])
})

test('an empty text holds nothing', () => {
  expect(read('').objects).toBe(0)
})

test.each([
  ['a field that nobody knows', denyAll().replace('rules', 'rulez'), /a\.yaml:1: spec.*rulez/s],
  [
    'a kind of the group that nobody knows',
    denyAll().replace('kind: Auth', 'kind: Ouch'),
    /kind is/,
  ],
  [
    'the same name twice',
    `${denyAll()}---\n${denyAll()}`,
    /a\.yaml:6: .* is there already, at a\.yaml:1/,
  ],
  ['an alias', 'a: &x [1]\nb: *x\n', /a\.yaml:2:4: aliases are not read/],
  ['a tag', 'a: !!binary aGVsbG8=\n', /tag/],
  ['a repeated key', 'a: 1\na: 2\n', /not YAML/],
  ['a key repeated as a number', 'a: { 1: a, "1": b }\n', /not YAML/],
  ['a tag on a map', 'a: !x { b: c }\n', /tag/i],
  [
    'as many keys as fit, of which one comes again',
    `${Array.from({ length: 40_000 }, (_, index) => `key-${index}: 1`).join('\n')}\nkey-7: 2\n`,
    /:40001:1: not YAML/,
  ],
  ['broken YAML', 'a: [1\n', /not YAML/],
])('%s refuses the whole', (_, text, message) => {
  expect(() => read(`${text}`)).toThrow(message)
})

test('every mistake of every file is told at once', () => {
  const broken = denyAll().replace('DENY', 'DENI')
  expect(() =>
    readPolicies(
      [
        { name: 'a.yaml', text: broken },
        { name: 'b.yaml', text: broken.replace('deny-all', 'other') },
      ],
      mesh,
    ),
  ).toThrow(/a\.yaml:1: .*\nb\.yaml:1: /s)
})
