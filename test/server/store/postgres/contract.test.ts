import { expect } from 'vitest'
import type { Clock } from '../../../../spiffe/clock.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { withPostgres } from '../../../processes/postgres.ts'
import { storeContract } from '../contract.ts'
import { emptyDatabase, openPostgresStore } from './open-for-test.ts'

withPostgres('on a real PostgreSQL', (postgres) => {
  let isThere = false
  storeContract('the PostgreSQL store', async ({ clock, randomId }) => {
    if (isThere) await emptyDatabase(postgres(), 'contract')
    else await postgres().createDatabase('contract')
    isThere = true
    // What listens for other servers waits by the real clock; what is stored has the time of the test.
    const waiting: Clock = { now: clock.now, sleep: systemClock.sleep }
    const store = await openPostgresStore(postgres(), 'contract', { clock: waiting, randomId })
    // At the moment from which others are heard, a commit of before may be told a second time.
    await expect.poll(() => store.changes.hearing()).toBeDefined()
    return store
  })
})
