import { expect, test } from 'vitest'
import { isJoinTokenAlias, joinTokenAlias } from '../../../server/entries/entry.ts'
import { entry, idOf, selectorsOf } from './sample-entry.ts'

const agent = idOf('/spire/agent/join_token/abc')

test('the alias of a join token is recognised as one', () => {
  const alias = entry('alias', { ...joinTokenAlias(agent, idOf('/db-node')), id: 'alias' })
  expect(isJoinTokenAlias(alias)).toBe(true)
  expect(alias.spiffeId).toBe(idOf('/db-node'))
})

test.for([
  ['an ordinary child', { selectors: selectorsOf('unix:uid:1') }],
  ['one more selector', { selectors: selectorsOf(`spiffe_id:${agent}`, 'unix:uid:1') }],
  ['the selector of another agent', { selectors: selectorsOf(`spiffe_id:${agent}d`) }],
] as const)('an entry is no alias of a join token with %s', ([, fields]) => {
  expect(isJoinTokenAlias(entry('e', { parentId: agent, ...fields }))).toBe(false)
})
