import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../../../server/store/store.ts'
import { withPostgres } from '../../../processes/postgres.ts'
import { openPostgresStore } from './open-for-test.ts'

const database = 'once_only'
const expiresAt = new Date('2100-01-01T00:00:00Z')
const CALLERS = 5

let stores: readonly Store[]

withPostgres('what happens once among two servers of one PostgreSQL', (postgres) => {
  beforeAll(() => postgres().createDatabase(database))
  beforeEach(async () => {
    stores = await Promise.all(
      ['one', 'two'].map((holder) => openPostgresStore(postgres(), database, { holder })),
    )
  })
  afterEach(() => Promise.all(stores.map((store) => store.close())))

  const callersOf = (token: string) =>
    stores.flatMap(({ joinTokens }) =>
      Array.from({ length: CALLERS }, () => joinTokens.redeem(token)),
    )

  test('of all who redeem a join token at both servers at the same time, one gets it', async () => {
    const [first] = stores
    const tokens = Array.from({ length: 40 }, (_, i) => `token-${i}`)
    for (const token of tokens) await first?.joinTokens.create({ token, expiresAt })
    const answers = await Promise.all(tokens.map((token) => Promise.all(callersOf(token))))
    const redeemed = answers.map((all) => all.filter((answer) => answer !== undefined))
    expect(redeemed).toEqual(tokens.map((token) => [{ token, expiresAt }]))
    expect((await Promise.all(tokens.flatMap(callersOf))).filter(Boolean)).toEqual([])
  })

  test('a token that was made at one server is made at no other', async () => {
    const made = stores.map(({ joinTokens }) => joinTokens.create({ token: 'same', expiresAt }))
    expect((await Promise.all(made)).sort()).toEqual([false, true])
  })

  test('no token is redeemed twice while the database ends connections in the middle of it', async () => {
    const [first] = stores
    const tokens = Array.from({ length: 40 }, (_, i) => `cut-${i}`)
    for (const token of tokens) await first?.joinTokens.create({ token, expiresAt })
    const end = `select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '${database}' and pid <> pg_backend_pid()`
    const ending = postgres().sql(end)
    const answers = await Promise.all(tokens.map((token) => Promise.allSettled(callersOf(token))))
    await ending
    for (const all of answers) {
      const got = all.filter((one) => one.status === 'fulfilled' && one.value !== undefined)
      expect(got.length).toBeLessThanOrEqual(1)
      // Who is not told that the token was redeemed is told that the database did not answer.
      const failures = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
      for (const failure of failures) expect(failure).toMatchObject({ code: 'UNAVAILABLE' })
    }
  })

  test('one of the two servers holds a turn, and both say which', async () => {
    const [first, second] = stores
    const stop = new AbortController()
    const begun: string[] = []
    const holding = stores.map(({ turns }, i) =>
      turns.hold(
        'a',
        async ({ signal }) => {
          begun.push(String(i))
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
        stop.signal,
      ),
    )
    const holdersAt = async (store: Store | undefined) =>
      (await store?.turns.holders().catch(() => []))?.map(({ holder }) => holder)
    await expect.poll(() => holdersAt(first)).toHaveLength(1)
    await expect.poll(() => holdersAt(second)).toEqual(await holdersAt(first))
    expect(begun.length).toBeLessThanOrEqual(1)
    stop.abort()
    await Promise.all(holding)
  })
})
