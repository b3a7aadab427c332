/** References of workloads, read from bytes that anybody may have sent. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  KUBERNETES_TYPE,
  PID_TYPE,
  parseReference,
  typedReference,
} from '../../../agent/broker/parse-reference.ts'
import { definitionsOf } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'

function encode(message: string, fields: object): Buffer {
  // Cast: the loader types its map by name only, and these are names of messages.
  const type = definitionsOf('broker')[`spiffe.broker.${message}`] as unknown as {
    serialize(fields: object): Buffer
  }
  return type.serialize(fields)
}
const process = (pid: number) =>
  parseReference({ typeUrl: PID_TYPE, value: encode('WorkloadPIDReference', { pid }) })
const object = (fields: object) =>
  parseReference({ typeUrl: KUBERNETES_TYPE, value: encode('KubernetesObjectReference', fields) })
const PODS = { plural: 'pods', group: 'core' }

test('reads the number of a process', () => {
  expect(process(1)).toEqual({ kind: 'process', pid: 1 })
  expect(process(2 ** 31 - 1)).toEqual({ kind: 'process', pid: 2 ** 31 - 1 })
})

test.for([
  ['by key', { key: { namespace: 'n', name: 'p' } }, { namespace: 'n', name: 'p', uid: '' }],
  ['by UID', { uid: 'a-1' }, { namespace: '', name: '', uid: 'a-1' }],
  [
    'by both',
    { key: { name: 'system:node' }, uid: 'U' },
    { namespace: '', name: 'system:node', uid: 'U' },
  ],
] as const)('reads an object %s', ([, fields, expected]) => {
  expect(object({ type: PODS, ...fields })).toEqual({
    kind: 'kubernetes-object',
    object: { ...PODS, ...expected },
  })
})

test.for([
  ['no reference', null],
  ['an empty one', { reference: null }],
  ['one without a type', { reference: { type_url: '', value: Buffer.from('x') } }],
] as const)('refuses %s', ([, wire]) => {
  expect(() => typedReference(wire)).toThrow('workload reference must be provided')
})

test.for([
  ['process 0', () => process(0), /the PID is 0/],
  ['a negative process', () => process(-7), /the PID is -7/],
  ['an object without a type', () => object({ uid: 'u' }), /missing type/],
  [
    'an object without a plural',
    () => object({ type: { group: 'core' }, uid: 'u' }),
    /missing plural/,
  ],
  [
    'an object without a group',
    () => object({ type: { plural: 'pods' }, uid: 'u' }),
    /missing group/,
  ],
  ['an object without key and UID', () => object({ type: PODS }), /missing key and UID/],
  ['a key without a name', () => object({ type: PODS, key: { namespace: 'n' } }), /missing name/],
  [
    'a way out of the path',
    () => object({ type: PODS, key: { namespace: '..', name: 'p' } }),
    /namespace is no valid name/,
  ],
  [
    'a slash in a name',
    () => object({ type: PODS, key: { namespace: 'n', name: 'p/log' } }),
    /name is no valid name/,
  ],
  [
    'a slash in a plural',
    () => object({ type: { plural: 'pods/exec', group: 'core' }, uid: 'u' }),
    /plural is no valid name/,
  ],
  [
    'a query in a group',
    () => object({ type: { plural: 'p', group: 'g?x' }, uid: 'u' }),
    /group is no valid name/,
  ],
  [
    'an escape in a name',
    () => object({ type: PODS, key: { namespace: 'n', name: '%2e' } }),
    /name is no valid name/,
  ],
  [
    'a name that is too long',
    () => object({ type: PODS, key: { name: 'a'.repeat(254) } }),
    /name is no valid name/,
  ],
  ['a UID with a space', () => object({ type: PODS, uid: 'a b' }), /UID is no valid UID/],
  [
    'another type',
    () => parseReference({ typeUrl: 'x/y', value: Buffer.alloc(0) }),
    /unsupported reference type: x\/y/,
  ],
  [
    'a type in another case',
    () => parseReference({ typeUrl: PID_TYPE.toLowerCase(), value: Buffer.from([8, 1]) }),
    /unsupported/,
  ],
  [
    'more bytes than any reference has',
    () => parseReference({ typeUrl: PID_TYPE, value: Buffer.alloc(4_097) }),
    /4097 bytes/,
  ],
] as const)('refuses %s', ([, parse, why]) => {
  expect(parse).toThrow(why)
  expect(parse).toThrow(expect.objectContaining({ code: 'WORKLOAD_REFERENCE_INVALID' }))
})

test('bytes that nobody foresaw are a reference or a refusal, and nothing else', () => {
  const types = fc.constantFrom(PID_TYPE, KUBERNETES_TYPE)
  fc.assert(
    fc.property(types, fc.uint8Array({ maxLength: 64 }), (typeUrl, value) => {
      try {
        const parsed = parseReference({ typeUrl, value })
        if (parsed.kind === 'process') expect(parsed.pid).toBeGreaterThan(0)
        else expect(JSON.stringify(parsed.object)).not.toMatch(/[/%?#]/)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
        expect(error).toMatchObject({ code: 'WORKLOAD_REFERENCE_INVALID' })
      }
    }),
    { numRuns: 500 },
  )
})
