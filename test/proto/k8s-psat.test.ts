import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readK8sPsatPayload, writeK8sPsatPayload } from '../../proto/k8s-psat.ts'
import { IdentityError } from '../../spiffe/error.ts'

const read = (text: string) => readK8sPsatPayload(Buffer.from(text))

test('a payload has the form that SPIRE writes and reads', () => {
  const payload = writeK8sPsatPayload({ cluster: 'main', token: 'a.b.c' })
  expect(Buffer.from(payload).toString()).toBe('{"cluster":"main","token":"a.b.c"}')
  expect(readK8sPsatPayload(payload)).toEqual({ cluster: 'main', token: 'a.b.c' })
  expect(read('{"cluster":"main","token":"t","more":1}')).toEqual({ cluster: 'main', token: 't' })
})

test.for([
  ['nothing', '', 'failed to unmarshal data payload'],
  ['half of it', '{"cluster":"s3cr3t', 'failed to unmarshal data payload: it is not JSON'],
  ['a list', '[]', 'failed to unmarshal data payload: the whole is not as expected'],
  ['a text', '"s3cr3t"', 'failed to unmarshal data payload: the whole is not as expected'],
  ['a number for a token', '{"cluster":"main","token":7}', 'token is not as expected'],
  ['a list for a cluster', '{"cluster":["s3cr3t"],"token":"t"}', 'cluster is not as expected'],
  ['null', 'null', 'missing cluster in attestation data'],
  ['an empty object', '{}', 'missing cluster in attestation data'],
  ['no token', '{"cluster":"main"}', 'missing token in attestation data'],
  ['an empty token', '{"cluster":"main","token":""}', 'missing token in attestation data'],
  [
    'more than 64 KiB',
    ' '.repeat(65_537),
    'attestation data of 65537 bytes, expected at most 65536',
  ],
] as const)('a payload of %s is refused, and nothing of it repeated', ([, text, message]) => {
  const refusal = refusalOf(() => read(text))
  expect(refusal.code).toBe('REQUEST_INVALID')
  expect(refusal.message).toContain(message)
  expect(JSON.stringify([refusal.message, String(refusal.cause)])).not.toContain('s3cr3t')
})

function refusalOf(run: () => unknown): IdentityError {
  try {
    run()
  } catch (error) {
    if (error instanceof IdentityError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('what is written is read again', () => {
  const part = fc.string({ minLength: 1 })
  fc.assert(
    fc.property(part, part, (cluster, token) => {
      expect(readK8sPsatPayload(writeK8sPsatPayload({ cluster, token }))).toEqual({
        cluster,
        token,
      })
    }),
  )
})

test('whatever is sent is read or refused', () => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(bytes, (payload) => {
      try {
        const { cluster, token } = readK8sPsatPayload(payload)
        expect(cluster.length * token.length).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toMatchObject({ code: 'REQUEST_INVALID' })
      }
    }),
  )
})
