/** "Did you mean": close words are found, far ones are not offered. */
import { expect, test } from 'vitest'
import { nearest } from '../../config/nearest.ts'

const KEYS = ['bind_port', 'bind_address', 'ca_ttl', 'trust_domain']

test.for([
  ['bind_prt', 'bind_port'],
  ['bindport', 'bind_port'],
  ['BIND_PORT', 'bind_port'],
  ['trustdomain', 'trust_domain'],
  ['ca_tll', 'ca_ttl'],
  ['bind_adress', 'bind_address'],
] as const)('takes %s for %s', ([word, expected]) => {
  expect(nearest(word, KEYS)).toBe(expected)
})

test.for(['zebra', 'x', '', 'port', `bind_port${'x'.repeat(100)}`])(
  'offers nothing for %j',
  (word) => {
    expect(nearest(word, KEYS)).toBeUndefined()
  },
)
