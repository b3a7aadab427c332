import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseProblem, problemOf, refusalOf } from '../../acme/problem.ts'
import { anyText } from '../fakes/any-text.ts'

const answer = (body: string, status = 403) => ({ status, body, header: () => undefined })

test('a refusal has the CA’s kind, its words, and those about each name', () => {
  const body = JSON.stringify({
    type: 'urn:ietf:params:acme:error:rejectedIdentifier',
    detail: 'not all can be had',
    subproblems: [{ type: 'x', detail: 'a.test is on a list' }, { detail: 'b.test is none' }],
  })
  expect(refusalOf('the order', answer(body)).message).toBe(
    'the ACME server refused the order with status 403: rejectedIdentifier: not all can be had: a.test is on a list: b.test is none',
  )
})

test.for([
  ['', 'an empty answer'],
  ['<html>', 'a page'],
  ['null', 'null'],
  ['[]', 'a list'],
  ['{}', 'an object with nothing in it'],
  ['{"type":7}', 'a type that is no text'],
  ['{"detail":{"a":1}}', 'words that are no text'],
] as const)('%s gives no reason', ([body]) => {
  expect(problemOf(answer(body))).toBeUndefined()
  expect(refusalOf('it', answer(body)).message).toMatch(/ 403: without a reason$/)
})

test('whatever a CA says is one short line of printable text', () => {
  fc.assert(
    fc.property(fc.anything(), anyText({ maxLength: 2_000 }), (any, detail) => {
      parseProblem(any)
      const text = parseProblem({ type: detail, detail, subproblems: [{ detail }] })?.text ?? ''
      expect(text.length).toBeLessThanOrEqual(500)
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }),
  )
})

test('words that would forge a line of a log do not', () => {
  const text = parseProblem({ detail: 'no\r\ntime=1 level=info msg="all is well"\u001b[2K' })?.text
  expect(text).toBe('no time=1 level=info msg="all is well" [2K')
})
