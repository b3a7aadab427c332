/** Which kind of bundle an Envoy is given, by what it says of itself. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEnvoyNode, validatorFor } from '../../../agent/sds/envoy-node.ts'
import { DEFAULT_SDS_SETTINGS, type SdsSettings } from '../../../agent/sds/settings.ts'
import type { Node } from '../../../proto/gen/envoy/config/core/v3/Node.ts'
import type { Value } from '../../../proto/gen/google/protobuf/Value.ts'

const DISABLED = { ...DEFAULT_SDS_SETTINGS, disableSpiffeCertValidation: true }
const node = (change: Partial<Node>): Node => ({
  id: '',
  cluster: '',
  metadata: null,
  user_agent_name: 'envoy',
  ...change,
})
const judge = (said: Node | undefined, settings: SdsSettings) =>
  validatorFor(readEnvoyNode(said), settings)
const release = (major_number: number, minor_number: number) =>
  node({
    user_agent_build_version: {
      version: { major_number, minor_number, patch: 0 },
      metadata: null,
    },
  })
const saying = (value: Value) =>
  node({ metadata: { fields: { disable_spiffe_cert_validation: value } } })

test.for([
  ['one that says nothing of itself', undefined, 'spiffe'],
  ['one without a version', node({}), 'spiffe'],
  ['one whose version is a text', node({ user_agent_version: '1.2.3' }), 'spiffe'],
  [
    'one with an empty version',
    node({ user_agent_build_version: { version: null, metadata: null } }),
    'spiffe',
  ],
  ['0.99', release(0, 99), 'roots'],
  ['1.0', release(1, 0), 'roots'],
  ['1.17', release(1, 17), 'roots'],
  ['1.18', release(1, 18), 'spiffe'],
  ['1.39', release(1, 39), 'spiffe'],
  ['2.0', release(2, 0), 'spiffe'],
] as const)('an Envoy, %s, is judged by its release', ([, envoy, validator]) => {
  expect(judge(envoy, DEFAULT_SDS_SETTINGS)).toBe(validator)
  expect(judge(envoy, DISABLED)).toBe('roots')
})

test.for(['1', 't', 'T', 'true', 'TRUE', 'True'])('an Envoy that says "%s" gets roots', (word) => {
  const said = saying({ kind: 'stringValue', stringValue: word })
  expect(judge(said, DEFAULT_SDS_SETTINGS)).toBe('roots')
})

test.for(['0', 'f', 'F', 'false', 'FALSE', 'False'])(
  'an Envoy that says "%s" gets the validator, whatever the agent is told',
  (word) => {
    const said = saying({ kind: 'stringValue', stringValue: word })
    expect(judge(said, DISABLED)).toBe('spiffe')
  },
)

test('a truth value counts as its text does', () => {
  const said = (boolValue: boolean) => saying({ kind: 'boolValue', boolValue })
  expect(judge(said(true), DEFAULT_SDS_SETTINGS)).toBe('roots')
  expect(judge(said(false), DISABLED)).toBe('spiffe')
})

test('an Envoy that is too old gets no validator by asking for it', () => {
  const old = { ...release(1, 17), ...saying({ kind: 'boolValue', boolValue: false }) }
  const envoy = {
    ...old,
    user_agent_build_version: release(1, 17).user_agent_build_version ?? null,
  }
  expect(judge(envoy, DEFAULT_SDS_SETTINGS)).toBe('roots')
})

test('whatever else is said changes nothing', () => {
  const rest: readonly Value[] = [
    { kind: 'nullValue', nullValue: 'NULL_VALUE' },
    { kind: 'structValue', structValue: { fields: {} } },
    { kind: 'listValue', listValue: { values: [] } },
    {},
  ]
  const words = fc
    .string()
    .filter((text) => !/^([01tTfF]|true|TRUE|True|false|FALSE|False)$/.test(text))
  const others: fc.Arbitrary<Value> = fc.oneof(
    fc.double().map((numberValue): Value => ({ kind: 'numberValue', numberValue })),
    words.map((stringValue): Value => ({ kind: 'stringValue', stringValue })),
    fc.constantFrom(...rest),
  )
  fc.assert(
    fc.property(others, (value) => {
      expect(judge(saying(value), DEFAULT_SDS_SETTINGS)).toBe('spiffe')
      expect(judge(saying(value), DISABLED)).toBe('roots')
    }),
  )
})

test('nothing is kept of a node but what changes its bundles', () => {
  const long = 'x'.repeat(200_000)
  const fields = { [long]: { kind: 'stringValue', stringValue: long } } as const
  const said = node({ id: long, cluster: long, metadata: { fields } })
  expect(readEnvoyNode(said)).toEqual({ disablesValidator: undefined, knowsValidator: true })
  expect([readEnvoyNode(null), readEnvoyNode(undefined)]).toEqual([undefined, undefined])
})
