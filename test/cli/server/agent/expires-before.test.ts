/** The date of the agent filters; every row was tried with spire-server 1.15.3. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mustBeDate } from '../../../../cli/server/agent/expires-before.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { refusalOf } from '../../refusal.ts'

test.for([
  '2020-01-02 03:04:05 -0700 -07',
  '2100-01-01 00:00:00 +0000 +00',
  '2020-02-29 04:00:01 +0530 +05',
  '2020-02-03 4:00:00 +0000 +00',
  '2020-02-03  04:00:01   +0000 +00',
  '2020-02-03 04:00:01.5 +0000 +00',
])('takes %s', (text) => {
  expect(() => mustBeDate(text)).not.toThrow()
})

const LAYOUT = '"2006-01-02 15:04:05 -0700 -07"'

test.for([
  ['whenever', ` as ${LAYOUT}: cannot parse "whenever" as "2006"`],
  ['2020-01-02', ` as ${LAYOUT}: cannot parse "" as "15"`],
  ['2020-2-3 04:00:01 +0000 +00', ` as ${LAYOUT}: cannot parse "2-3 04:00:01 +0000 +00" as "01"`],
  ['2020-02-03 04:00:01 0000 +00', ` as ${LAYOUT}: cannot parse "0000 +00" as "-0700"`],
  ['2020-02-03 04:00:01 +0000', ` as ${LAYOUT}: cannot parse "" as "-07"`],
  ['2020-02-03 04:00:01 +0000 +0', ` as ${LAYOUT}: cannot parse "+0" as "-07"`],
  ['2020-13-02 00:00:00 +0000 +00', ': month out of range'],
  ['2020-00-03 04:00:01 +0000 +00', ': month out of range'],
  ['2020-01-00 04:00:01 +0000 +00', ': day out of range'],
  ['2020-02-30 00:00:00 +0000 +00', ': day out of range'],
  ['2020-02-03 24:00:00 +0000 +00', ': hour out of range'],
  ['2020-02-03 04:60:00 +0000 +00', ': minute out of range'],
  ['2020-02-03 04:00:61 +0000 +00', ': second out of range'],
  ['2020-02-03 04:00:01 +9900 +00', ': time zone offset hour out of range'],
  ['2020-02-03 04:00:01 +0000 +00 x', ': extra text: " x"'],
] as const)('refuses %s', ([text, why]) => {
  const refusal = refusalOf(() => mustBeDate(text))
  expect(refusal).toBe(`date is not valid: parsing time "${text}"${why}`)
})

test('refuses in words, whatever is given', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        mustBeDate(text)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
  )
})
