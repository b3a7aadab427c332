import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toStruct } from '../../../agent/workload-api/struct.ts'
import type { Struct } from '../../../proto/gen/google/protobuf/Struct.ts'
import type { Value } from '../../../proto/gen/google/protobuf/Value.ts'
import { workloadApi } from '../../../proto/load.ts'

const { responseSerialize, responseDeserialize } = workloadApi().service.ValidateJWTSVID

/** Through the wire and back to JSON. */
function roundTrip(claims: Record<string, unknown>): unknown {
  const bytes = responseSerialize({ spiffe_id: '', claims: toStruct(claims) })
  return fromStruct(responseDeserialize(bytes).claims)
}

function fromStruct(struct: Struct | null | undefined): unknown {
  const fields = Object.entries(struct?.fields ?? {})
  return Object.fromEntries(fields.map(([name, value]) => [name, fromValue(value)]))
}

function fromValue(value: Value): unknown {
  switch (value.kind) {
    case 'nullValue':
      return null
    case 'listValue':
      return value.listValue?.values.map(fromValue)
    case 'structValue':
      return fromStruct(value.structValue)
    default:
      return value[value.kind ?? 'stringValue']
  }
}

test('claims of every JSON type arrive as they are in the token', () => {
  const claims = {
    sub: 'spiffe://example.org/web',
    aud: ['a', 'b'],
    exp: 1795258866,
    admin: false,
    none: null,
    nested: { list: [1, [true, { deep: '' }]], empty: {} },
  }
  expect(roundTrip(claims)).toEqual(claims)
})

test('any JSON object survives', () => {
  const json = fc.dictionary(
    fc.string().filter((name) => name !== '__proto__'),
    fc.jsonValue({ maxDepth: 4 }),
  )
  fc.assert(
    fc.property(json, (claims) => {
      const plain = JSON.parse(JSON.stringify(claims))
      expect(roundTrip(plain)).toEqual(plain)
    }),
  )
})

test('refuses claims that are nested too deeply', () => {
  let deep: unknown = 1
  for (let level = 0; level < 40; level += 1) deep = [deep]
  expect(() => toStruct({ deep })).toThrow(/deeper than 32/)
})

test('refuses what JSON cannot hold', () => {
  expect(() => toStruct({ big: 1n })).toThrow(/not JSON/)
})
