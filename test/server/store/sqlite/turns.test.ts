import { expect, test } from 'vitest'
import { openTurns } from '../../../../server/store/sqlite/turns.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { turnsContract } from '../turns-contract.ts'

turnsContract('turns of the SQLite store', async () => openTurns(systemClock))

test('a store that serves one server shares its turns with nobody', () => {
  expect(openTurns(systemClock).isShared).toBe(false)
})
