import { beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../../server/entries/entry.ts'
import { createEntryIndex, type EntryIndex } from '../../../server/entries/entry-index.ts'
import { entry, exampleOrg, idOf, selectorsOf } from './sample-entry.ts'

const server = idOf('/spire/server')
const agent = idOf('/spire/agent/x509pop/one')
const other = idOf('/spire/agent/x509pop/two')

let index: EntryIndex

beforeEach(() => {
  index = createEntryIndex(exampleOrg)
  index.markReady()
})

function put(...entries: readonly Entry[]) {
  for (const one of entries) index.apply({ kind: 'entry', id: one.id, entry: one })
}

function node(id: typeof agent, ...selectors: readonly string[]) {
  return index.apply({ kind: 'node', id, selectors: selectorsOf(...selectors) })
}

const idsFor = (id: typeof agent) =>
  index
    .authorizedFor(id)
    .map((one) => one.id)
    .sort()

const web = entry('web', { spiffeId: idOf('/web'), parentId: agent })
const child = entry('child', { spiffeId: idOf('/child'), parentId: idOf('/web') })
const alias = entry('alias', {
  spiffeId: idOf('/cluster'),
  parentId: server,
  selectors: selectorsOf('x509pop:cn:a', 'x509pop:ca:b'),
})
const shared = entry('shared', { spiffeId: idOf('/shared'), parentId: idOf('/cluster') })

describe('an agent is authorized for', () => {
  test('its children and theirs, and for nothing else', () => {
    put(web, child, entry('foreign', { parentId: other }))
    expect(idsFor(agent)).toEqual(['child', 'web'])
  })

  test('what lies below an alias whose selectors it has, but not for the alias itself', () => {
    put(alias, shared)
    node(agent, 'x509pop:cn:a', 'x509pop:ca:b', 'x509pop:more:c')
    expect(idsFor(agent)).toEqual(['shared'])
  })

  test('nothing below an alias of which it lacks a selector', () => {
    put(alias, shared)
    node(agent, 'x509pop:cn:a')
    expect(idsFor(agent)).toEqual([])
  })

  test('its direct children while its node is not known', () => {
    put(web, alias, shared)
    expect(idsFor(agent)).toEqual(['web'])
  })

  test('each entry once, though parents form a circle', () => {
    put(
      entry('a', { spiffeId: idOf('/a'), parentId: agent }),
      entry('b', { spiffeId: idOf('/b'), parentId: idOf('/a') }),
      entry('c', { spiffeId: idOf('/a'), parentId: idOf('/b') }),
      entry('self', { spiffeId: idOf('/self'), parentId: idOf('/self') }),
    )
    expect(idsFor(agent)).toEqual(['a', 'b', 'c'])
  })

  test('nothing any more once its entries are gone', () => {
    put(web, child)
    index.apply({ kind: 'entry', id: 'web', entry: undefined })
    expect(idsFor(agent)).toEqual([])
  })

  test('nothing below the alias any more once its node is gone', () => {
    put(alias, shared, web)
    node(agent, 'x509pop:cn:a', 'x509pop:ca:b')
    index.apply({ kind: 'node', id: agent, selectors: undefined })
    expect(idsFor(agent)).toEqual(['web'])
  })
})

test('an alias may hang below another alias only by node selectors, never by its parent', () => {
  put(alias, shared, entry('second', { ...alias, id: 'second', spiffeId: idOf('/spirelike') }))
  node(agent, 'x509pop:cn:a', 'x509pop:ca:b')
  expect(idsFor(agent)).toEqual(['shared'])
})

describe('asking for one entry', () => {
  test('gives it when the agent is authorized for it', () => {
    put(web, child, alias, shared)
    node(agent, 'x509pop:cn:a', 'x509pop:ca:b')
    expect(index.entryFor(agent, 'web')).toBe(web)
    expect(index.entryFor(agent, 'child')).toBe(child)
    expect(index.entryFor(agent, 'shared')).toBe(shared)
  })

  test.for<[string, string]>([
    ['that does not exist', 'nothing'],
    ['of another agent', 'foreign'],
    ['below an alias it lacks a selector of', 'shared'],
    ['that is an alias', 'alias'],
    ['in a circle it has no part in', 'self'],
  ])('gives nothing for an entry %s', ([, id]) => {
    put(web, alias, shared, entry('foreign', { parentId: other }))
    put(entry('self', { spiffeId: idOf('/self'), parentId: idOf('/self') }))
    node(agent, 'x509pop:cn:a')
    expect(index.entryFor(agent, id)).toBeUndefined()
  })
})

test('who calls itself the server is authorized for no alias', () => {
  put(alias)
  expect(idsFor(server)).toEqual([])
  expect(index.entryFor(server, 'alias')).toBeUndefined()
})

describe('before everything is loaded', () => {
  test.for<[string, (unready: EntryIndex) => unknown]>([
    ['the authorized entries', (unready) => unready.authorizedFor(agent)],
    ['one entry', (unready) => unready.entryFor(agent, 'web')],
    ['who is admin', (unready) => unready.isAdmin(web.spiffeId)],
    ['who is downstream', (unready) => unready.downstreamEntry(web.spiffeId)],
  ])('it refuses to say %s rather than answer with nothing', ([, ask]) => {
    const unready = createEntryIndex(exampleOrg)
    expect(() => ask(unready)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }))
  })
})

test('an ID is admin as long as one of its entries says so, aliases included', () => {
  put(web, entry('boss', { ...alias, id: 'boss', spiffeId: web.spiffeId, admin: true }))
  expect(index.isAdmin(web.spiffeId)).toBe(true)
  expect(index.isAdmin(child.spiffeId)).toBe(false)
  index.apply({ kind: 'entry', id: 'boss', entry: undefined })
  expect(index.isAdmin(web.spiffeId)).toBe(false)
})

test('of several downstream entries of one ID the oldest counts', () => {
  const old = entry('z', { downstream: true, createdAt: new Date(1000) })
  put(entry('a', { downstream: true, createdAt: new Date(2000) }), old, entry('b'))
  expect(index.downstreamEntry(old.spiffeId)).toBe(old)
  expect(index.downstreamEntry(child.spiffeId)).toBeUndefined()
})

describe('a change concerns', () => {
  const change = (id: string, value: Entry | undefined) =>
    [...index.apply({ kind: 'entry', id, entry: value })].sort()

  test('the watched agent it is authorized for, and no other', () => {
    index.watch(agent)
    index.watch(other)
    put(web)
    expect(change('child', child)).toEqual([agent])
    expect(change('child', undefined)).toEqual([agent])
  })

  test('nobody when nobody is watched', () => {
    expect(change('web', web)).toEqual([])
  })

  test('nobody after the last watch has ended', () => {
    const [first, second] = [index.watch(agent), index.watch(agent)]
    first()
    first()
    expect(change('web', web)).toEqual([agent])
    second()
    expect(change('web', undefined)).toEqual([])
  })

  test('the agent that loses an entry and the one that gets it', () => {
    index.watch(agent)
    index.watch(other)
    put(web)
    expect(change('web', { ...web, parentId: other })).toEqual([agent, other].sort())
  })

  test('all agents below which a parent in the middle moves', () => {
    index.watch(agent)
    index.watch(other)
    put(web, child)
    expect(change('web', { ...web, spiffeId: idOf('/renamed') })).toEqual([agent])
    expect(idsFor(agent)).toEqual(['web'])
  })

  test('the agents that have the selectors of an alias, before and after', () => {
    index.watch(agent)
    index.watch(other)
    put(alias, shared)
    node(agent, 'x509pop:cn:a', 'x509pop:ca:b')
    node(other, 'x509pop:cn:z')
    const moved = { ...alias, selectors: selectorsOf('x509pop:cn:z') }
    expect(change('shared', { ...shared, revisionNumber: 1 })).toEqual([agent])
    expect(change('alias', moved)).toEqual([agent, other].sort())
    expect(change('shared', { ...shared, revisionNumber: 2 })).toEqual([other])
    expect(idsFor(other)).toEqual(['shared'])
  })

  test('an agent that comes to be watched, or gets new selectors, after the alias was asked about', () => {
    put(alias, shared)
    node(agent, 'x509pop:cn:a', 'x509pop:ca:b')
    index.watch(other)
    expect(change('shared', { ...shared, revisionNumber: 1 })).toEqual([])
    index.watch(agent)
    expect(change('shared', { ...shared, revisionNumber: 2 })).toEqual([agent])
    node(other, 'x509pop:cn:a', 'x509pop:ca:b')
    expect(change('shared', { ...shared, revisionNumber: 3 })).toEqual([agent, other].sort())
  })

  test('an agent whose node selectors change, but not one whose SVID was only renewed', () => {
    index.watch(agent)
    expect([...node(agent, 'x509pop:cn:a')]).toEqual([agent])
    expect([...node(agent, 'x509pop:cn:a')]).toEqual([])
    expect([...index.apply({ kind: 'node', id: agent, selectors: undefined })]).toEqual([agent])
  })
})
