/** SPIFFE IDs with rights at the server are given to nobody who was not found to have the selectors of an entry. */
import { expect, test } from 'vitest'
import { createEntryIndex } from '../../../server/entries/entry-index.ts'
import { privilegedIds } from '../../../server/entries/privileged-ids.ts'
import { entry, exampleOrg, idOf } from './sample-entry.ts'

const OPERATOR = idOf('/operator')

function knowing(...more: readonly Parameters<typeof entry>[1][]) {
  const index = createEntryIndex(exampleOrg)
  for (const [at, fields] of more.entries()) {
    const one = entry(`e${at}`, { spiffeId: idOf('/x'), ...fields })
    index.apply({ kind: 'entry', id: one.id, entry: one })
  }
  index.markReady()
  return privilegedIds(index, [OPERATOR])
}

test.for([
  ['with admin', [{ admin: true }], idOf('/x'), /x is that of an entry with admin,/],
  ['with downstream', [{ downstream: true }], idOf('/x'), /x is that of an entry with downstream,/],
  ['where one of several has admin', [{}, { admin: true }], idOf('/x'), /entry with admin/],
  ['of admin_ids', [], OPERATOR, /operator is one of admin_ids,/],
] as const)('an ID %s is refused', ([, entries, id, why]) => {
  expect(knowing(...entries).reasonAgainst(id)).toMatch(why)
})

test('an ID without rights is not', () => {
  const others = knowing({}, { spiffeId: idOf('/other'), admin: true })
  expect(others.reasonAgainst(idOf('/x'))).toBeUndefined()
  expect(knowing().reasonAgainst(idOf('/x'))).toBeUndefined()
})

test('nothing is told before all entries are known', () => {
  const privileged = privilegedIds(createEntryIndex(exampleOrg), [OPERATOR])
  for (const id of [idOf('/x'), OPERATOR]) {
    expect(() => privileged.reasonAgainst(id)).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE' }),
    )
  }
})
