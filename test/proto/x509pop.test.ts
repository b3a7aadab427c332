import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  readX509PopAnswer,
  readX509PopChallenge,
  readX509PopPayload,
  writeX509PopAnswer,
  writeX509PopChallenge,
  writeX509PopPayload,
} from '../../proto/x509pop.ts'
import { IdentityError } from '../../spiffe/error.ts'

const nonce = Buffer.from('nonce')
const text = (message: Uint8Array) => JSON.parse(Buffer.from(message).toString())

test('messages have the form that SPIRE writes and reads', () => {
  expect(text(writeX509PopPayload([Buffer.from('a'), Buffer.from('b')]))).toEqual({
    certificates: ['YQ==', 'Yg=='],
  })
  expect(text(writeX509PopChallenge({ kind: 'rsa', nonce }))).toEqual({
    rsa_signature: { nonce: 'bm9uY2U=' },
    ecdsa_signature: null,
  })
  const [r, s] = [Buffer.of(1), Buffer.of(2)]
  expect(text(writeX509PopAnswer({ kind: 'ecdsa', nonce, r, s }))).toEqual({
    rsa_signature: null,
    ecdsa_signature: { nonce: 'bm9uY2U=', r: 'AQ==', s: 'Ag==' },
  })
})

test('what is written is read again', () => {
  const rsa = { kind: 'rsa', nonce, signature: randomBytes(8) } as const
  expect(readX509PopAnswer(writeX509PopAnswer(rsa))).toEqual(rsa)
  const challenge = { kind: 'ecdsa', nonce } as const
  expect(readX509PopChallenge(writeX509PopChallenge(challenge))).toEqual(challenge)
  expect(readX509PopPayload(writeX509PopPayload([nonce]))).toEqual([nonce])
})

test('the kind that is not meant may be left out', () => {
  expect(readX509PopChallenge(Buffer.from('{"rsa_signature":{"nonce":"AA=="}}'))).toEqual({
    kind: 'rsa',
    nonce: Buffer.of(0),
  })
})

test.for([
  ['both kinds', '{"rsa_signature":{"nonce":"AA=="},"ecdsa_signature":{"nonce":"AA=="}}'],
  ['neither kind', '{}'],
  ['a number', '1'],
  ['null', 'null'],
  ['a nonce that is no base64', '{"rsa_signature":{"nonce":"%"}}'],
  ['a nonce that is a list', '{"rsa_signature":{"nonce":[0]}}'],
])('a challenge of %s is refused', ([, message = '']) => {
  expect(() => readX509PopChallenge(Buffer.from(message))).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID' }),
  )
})

test('a message longer than a mebibyte is refused before it is read', () => {
  expect(() => readX509PopPayload(Buffer.alloc((1 << 20) + 1, 0x20))).toThrow(/expected at most/)
})

test('any bytes are a message or a refusal, never a bug', () => {
  const readers = [readX509PopPayload, readX509PopChallenge, readX509PopAnswer]
  const messages = fc.oneof(
    fc.uint8Array(),
    fc.json().map((json) => Buffer.from(json)),
    fc
      .record({ certificates: fc.anything(), rsa_signature: fc.anything() })
      .map((one) => Buffer.from(JSON.stringify(one) ?? '')),
  )
  fc.assert(
    fc.property(messages, (message) => {
      for (const read of readers) {
        try {
          read(message)
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      }
    }),
  )
})
