import { expect, test } from 'vitest'
import { certChain } from '../../../server/mesh/istio-ca/cert-chain.ts'
import { refused, refusedPlainly, whyRefused } from '../../../server/mesh/refusal.ts'
import { createTally } from '../../../server/mesh/tally.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { FakeClock } from '../../fakes/clock.ts'

test('the newest hundred of each kind are kept, and all are counted', () => {
  const tally = createTally(new FakeClock())
  for (let n = 0; n < 150; n += 1) {
    tally.noteRefused({ identity: `id-${n}` }, 'a:1', { check: 'token', reason: 'x'.repeat(5_000) })
    tally.noteIssued({ identity: `id-${n}` }, 'a:1')
  }
  const { issued, refused: count, lastIssued, lastRefusals, refusedByCheck } = tally.read()
  expect([issued, count, refusedByCheck.get('token')]).toEqual([150, 150, 150])
  expect([lastIssued.length, lastRefusals.length]).toEqual([100, 100])
  expect(lastIssued[0]?.identity).toBe('id-149')
  expect(lastRefusals.at(-1)?.identity).toBe('id-50')
  expect(lastRefusals[0]?.reason).toHaveLength(1_000)
})

test('the reason of a refusal is never what the caller is told, unless that is meant', () => {
  const told = { code: 'CALLER_UNIDENTIFIED', message: 'no' } as const
  const error = refused('token', told, 'because of this')
  expect(error).toMatchObject({ code: 'CALLER_UNIDENTIFIED', message: 'no' })
  expect(whyRefused(error)).toEqual({ check: 'token', reason: 'because of this' })
  expect(refusedPlainly('csr', 'CSR_INVALID', 'that').message).toBe('that')
})

test.for([
  [new IdentityError('RATE_LIMITED', 'too many'), 'rate', 'too many'],
  [new IdentityError('UNAVAILABLE', 'no authority'), 'issuer', 'no authority'],
  [new Error('a bug'), 'issuer', 'a bug'],
] as const)('what no check of ours refused has a check too', ([error, check, reason]) => {
  expect(whyRefused(error)).toEqual({ check, reason })
})

test('a chain has its roots in one last element, and without roots there is no chain', () => {
  const [leaf, between, one, two] = ['a', 'b', 'c', 'd'].map((text) => Buffer.from(text))
  if (!leaf || !between || !one || !two) throw new Error('four')
  const x509Authorities = [one, two].map((der) => ({ der, tainted: false }))
  const chain = certChain([leaf, between], { x509Authorities })
  expect(chain.map((element) => element.match(/BEGIN CERTIFICATE/g)?.length)).toEqual([1, 1, 2])
  expect(chain.every((element) => element.endsWith('-----END CERTIFICATE-----\n'))).toBe(true)
  expect(() => certChain([leaf], { x509Authorities: [] })).toThrow(IdentityError)
  expect(() => certChain([], { x509Authorities })).toThrow(/no authority/)
})
