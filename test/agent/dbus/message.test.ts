/** Messages of a bus: those of the agent, byte by byte, and those that it reads or refuses. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messageLength, readMessage, writeCall } from '../../../agent/dbus/message.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { makeMessage, textBody, values, variantBody } from './bus-messages.ts'

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringMatching(message) })

test('a call is written as the specification has it', () => {
  const call = writeCall({
    serial: 2,
    destination: 'a.b',
    path: '/p',
    interface: 'c.d',
    member: 'M',
    args: [
      { type: 'u', value: 258 },
      { type: 's', value: 'é' },
    ],
  })
  expect(call.toString('hex')).toBe(
    [
      '6c010001' + '0b000000' + '02000000' + '48000000', // little-endian, call, no flags, version 1; body, serial, fields
      '01016f00' + '02000000' + '2f7000' + '0000000000', // path o "/p"
      '02017300' + '03000000' + '632e6400' + '00000000', // interface s "c.d"
      '03017300' + '01000000' + '4d00' + '000000000000', // member s "M"
      '06017300' + '03000000' + '612e6200' + '00000000', // destination s "a.b"
      '08016700' + '02757300', // signature g "us"
      '02010000' + '02000000' + 'c3a900', // 258, "é"
    ].join(''),
  )
})

test.for([false, true])('a text and a variant of one are read, big-endian: %s', (isBig) => {
  const returned = makeMessage({
    ...{ type: 2, replyTo: 7, signature: 's', body: textBody('unit.service', isBig), isBig },
  })
  expect(readMessage(returned)).toEqual({
    type: 'return',
    replyTo: 7,
    errorName: undefined,
    signature: 's',
    texts: ['unit.service'],
  })
  const variant = { type: 2, replyTo: 7, signature: 'v', isBig } as const
  const { texts } = readMessage(makeMessage({ ...variant, body: variantBody('/x', isBig) }))
  expect(texts).toEqual(['/x'])
})

test('an error is read with its name and its text', () => {
  const error = { type: 3, replyTo: 1, errorName: 'a.b.NoSuchUnit', signature: 's' } as const
  expect(readMessage(makeMessage({ ...error, body: textBody('no unit') }))).toMatchObject({
    type: 'error',
    errorName: 'a.b.NoSuchUnit',
    texts: ['no unit'],
  })
})

test('a body of other types has no texts', () => {
  const body = values().u(1).u(2).bytes()
  expect(readMessage(makeMessage({ type: 4, signature: 'uu', body })).texts).toEqual([])
  const number = values().g('u').u(1).bytes()
  expect(readMessage(makeMessage({ type: 2, signature: 'v', body: number })).texts).toEqual([])
})

const good = makeMessage({ type: 2, replyTo: 7, signature: 's', body: textBody('unit') })
const changed = (at: number, to: number) => {
  const bytes = Buffer.from(good)
  bytes[at] = to
  return bytes
}

test.for([
  ['another version', changed(3, 2), /no message of version 1/],
  ['another byte order', changed(0, 0x78), /no message of version 1/],
  ['less than it says', good.subarray(0, -1), /of a message of/],
  ['more than it says', Buffer.concat([good, good]), /of a message of/],
  ['a text that is longer than the message', changed(good.length - 9, 200), /ends within a value/],
  ['a text without its end', changed(good.length - 1, 1), /without its end/],
  ['a text with a zero in it', changed(good.length - 2, 0), /a zero in it/],
  ['a text that is not UTF-8', changed(good.length - 2, 0xff), /not UTF-8/],
  [
    'a body that goes on',
    makeMessage({ type: 2, signature: 's', body: values().s('a').u(1).bytes() }),
    /longer than its signature/,
  ],
  ['a million bytes and more', changed(6, 0xff), /a message of \d+ bytes/],
] as const)('refuses %s', ([, bytes, message]) => {
  expect(() => readMessage(bytes)).toThrow(refusal(message))
})

test('refuses a header field twice, and one of a type that none has', () => {
  const twice = values().byte(5).g('u').u(1).pad(8).byte(5).g('u').u(2).bytes()
  const strange = values().byte(5).g('ai').u(0).bytes()
  for (const [fields, message] of [
    [twice, /field 5 twice/],
    [strange, /a header field of type "ai"/],
  ] as const) {
    const header = values().byte(0x6c).byte(2).byte(0).byte(1).u(0).u(1).u(fields.length)
    expect(() => readMessage(header.raw(fields).pad(8).bytes())).toThrow(refusal(message))
  }
})

test('any bytes are read or refused', () => {
  const start = fc.constantFrom(Buffer.from([0x6c, 2, 0, 1]), Buffer.from([0x42, 3, 0, 1]))
  const small = fc.array(fc.oneof(fc.constantFrom(0, 1, 5, 8, 0x73, 0x67), fc.nat(255)))
  fc.assert(
    fc.property(start, small, (beginning, rest) => {
      const bytes = Buffer.concat([beginning, Buffer.from(rest)])
      for (const read of [messageLength, readMessage]) {
        try {
          read(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      }
    }),
  )
})

test('a good message with any one byte changed is read or refused', () => {
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, to) => {
      try {
        readMessage(changed(at, to))
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
    { numRuns: 500 },
  )
})
