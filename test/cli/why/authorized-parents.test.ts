import { expect, test } from 'vitest'
import type { RegisteredEntry } from '../../../agent/explain/facts.ts'
import { authorizedParents } from '../../../cli/why/authorized-parents.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { parseSelector } from '../../../spiffe/selector.ts'

const id = (path: string) => parseSpiffeId(`spiffe://example.org${path}`)
const agent = id('/spire/agent/a')
const node = new Set(['cluster:c', 'zone:z'].map(parseSelector))

const entry = (parent: string, path: string, ...selectors: string[]): RegisteredEntry => ({
  entryId: `${parent}>${path}`,
  id: id(path),
  parentId: id(parent),
  selectors: selectors.map(parseSelector),
  storeSvid: false,
  createdAt: new Date(0),
  expiresAt: undefined,
})

const parents = (...entries: readonly RegisteredEntry[]) =>
  [...authorizedParents(agent, node, entries)].map((one) => one.replace('spiffe://example.org', ''))

test.for([
  ['itself', [], []],
  ['what is registered below it', [entry('/spire/agent/a', '/web', 'u:1')], ['/web']],
  [
    'what is below that',
    [entry('/web', '/deep', 'u:1'), entry('/spire/agent/a', '/web', 'u:1')],
    ['/web', '/deep'],
  ],
  ['an alias of its node', [entry('/spire/server', '/nodes', 'zone:z')], ['/nodes']],
  [
    'an alias by several selectors',
    [entry('/spire/server', '/nodes', 'zone:z', 'cluster:c')],
    ['/nodes'],
  ],
  ['no alias that wants more', [entry('/spire/server', '/nodes', 'zone:z', 'rack:1')], []],
  ['no alias that wants nothing', [entry('/spire/server', '/nodes')], []],
  ['no other agent', [entry('/spire/agent/b', '/web', 'u:1')], []],
  [
    'each of a circle once',
    [entry('/spire/agent/a', '/x', 'u:1'), entry('/x', '/y', 'u:1'), entry('/y', '/x', 'u:1')],
    ['/x', '/y'],
  ],
] as const)('an agent has the children of %s', ([, entries, more]) => {
  expect(parents(...entries)).toEqual(['/spire/agent/a', ...more])
})
