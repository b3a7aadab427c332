import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeDone,
  decodeQuestion,
  decodeStanding,
  encodeAnswer,
  encodeQuestion,
  encodeRefusal,
  MAX_ANSWER_LENGTH,
  type Question,
  type StandingAnswer,
} from '../../../server/servers/question.ts'
import {
  decodeServerDocument,
  encodeServerDocument,
} from '../../../server/servers/server-document.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'

const holder = parseSpiffeId('spiffe://example.org/agent')
const standing: StandingAnswer = {
  active: { id: 'a', issuedAtMs: 1, expiresAtMs: 2 },
  activation: 'by-hand',
  made: ['a'],
  forgottenUntilMs: { a: 5 },
  uses: [{ id: 'a', kind: 'minted-jwt-svid', holder, count: 2, untilMs: 9 }],
  held: [{ id: 'a', slot: 's', signedAtMs: 1, holder, untilMs: 9 }],
  renewedAtMs: { s: 3 },
  places: [['trusted']],
  handed: { f: [0, 7] },
}

test.for([
  { ask: 'standing', kind: 'x509', ids: ['a', 'b'] },
  { ask: 'prepare', kind: 'jwt', active: 'a' },
  { ask: 'activate', kind: 'x509', id: 'a' },
  { ask: 'discard', kind: 'jwt', id: 'a' },
] as const satisfies readonly Question[])(
  'the question $ask is read as it was written',
  (question) => {
    expect(decodeQuestion(encodeQuestion(question))).toEqual(question)
  },
)

test('answers are read as they were written', () => {
  expect(decodeStanding(encodeAnswer(standing))).toEqual(standing)
  expect(decodeDone(encodeAnswer({ authorityId: 'a' }))).toEqual({ authorityId: 'a' })
})

test.for(['', 'null', '{}', '[]', '{"ask":"revoke","kind":"x509","id":"a"}', '{"ask":"activate"}'])(
  'what is no question that this version knows (%s) is told apart',
  (text) => {
    expect(decodeQuestion(text)).toBeUndefined()
  },
)

test('a refusal is thrown where the answer is read, with its code', () => {
  const text = encodeRefusal('PRECONDITION_FAILED', 'it signs')
  const refusal = { code: 'PRECONDITION_FAILED', message: 'it signs' }
  expect(() => decodeStanding(text)).toThrow(expect.objectContaining(refusal))
  expect(() => decodeDone(text)).toThrow(expect.objectContaining(refusal))
  const unknown = '{"refused":{"code":"NEW_CODE","message":"m"}}'
  expect(() => decodeDone(unknown)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
})

test('an answer that is too long becomes a refusal', () => {
  const handed = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [
      `${i}${'x'.repeat(MAX_ANSWER_LENGTH / 1_000)}`,
      [0, 1],
    ]),
  ) as StandingAnswer['handed']
  expect(() => decodeStanding(encodeAnswer({ ...standing, handed }))).toThrow(/more agents than/)
})

const damaged = fc.oneof(
  fc.string(),
  fc.json(),
  fc.jsonValue().map((value) => JSON.stringify(value)),
)

test('whatever stands in the database, reading it gives a value, or a refusal that can be told', () => {
  fc.assert(
    fc.property(damaged, (text) => {
      decodeQuestion(text)
      decodeServerDocument(text)
      for (const decode of [decodeStanding, decodeDone]) {
        expect(() => decode(text)).toThrow(expect.objectContaining({ name: 'IdentityError' }))
      }
    }),
  )
})

test('what a newer version says beyond what is known is left aside', () => {
  const document = {
    ...{ name: 'n', address: 'a:1', version: 'v', startedAtMs: 1, bundleSequence: 2 },
    ...{ x509: { active: 'a' }, jwt: {}, endsByMs: { a: 3 } },
  }
  const text = encodeServerDocument(document)
  expect(decodeServerDocument(text)).toEqual(document)
  expect(decodeServerDocument(text.replace('{', '{"news":1,'))).toEqual(document)
  expect(
    decodeServerDocument(text.replace('"bundleSequence":2', '"bundleSequence":"2"')),
  ).toBeUndefined()
})
