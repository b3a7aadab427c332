import { expect, test } from 'vitest'
import {
  parseCollectorHeaders,
  readCollectorHeaders,
} from '../../../proxy/tracing/collector-headers.ts'

const parse = (text: string) => parseCollectorHeaders(text, '/run/headers')

test('a file has one header on each line, and says nothing by empty lines and remarks', () => {
  expect(parse('# of the tenant\n\nAuthorization: Bearer a:b\r\nX-Scope-OrgID:shop\n')).toEqual([
    ['authorization', 'Bearer a:b'],
    ['x-scope-orgid', 'shop'],
  ])
  expect(parse('')).toEqual([])
})

test.each([
  ['no colon', 'tokentoken', /line 1 is no header/],
  ['no name', 'a: b\n: token', /line 2 is no header/],
  ['a name of two words', 'a b: token', /line 1 is no header/],
  ['a control in a value', 'a: to\x00ken', /line 1 is no header/],
  ['a lone carriage return in a value', 'a: token\rb: c', /line 1 is no header/],
  ['text outside of ASCII', 'a: tokén', /line 1 is no header/],
  ['framing', 'content-length: 0', /line 1 sets content-length/],
  ['another host', 'host: token', /line 1 sets host/],
  ['another type', 'content-type: token', /line 1 sets content-type/],
])('%s is refused by its line, and not shown', (_, text, message) => {
  expect(() => parse(text)).toThrow(message)
  expect(() => parse(text)).not.toThrow(/tok/)
})

test('a file that is not there is refused by its name', async () => {
  expect(await readCollectorHeaders(undefined)).toEqual([])
  await expect(readCollectorHeaders('/nowhere/headers')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/headers_file "\/nowhere\/headers" cannot be read/),
  })
})
