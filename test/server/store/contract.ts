/**
 * What every implementation of the store must do. Run it on each: a fresh, empty store per test,
 * a clock the test may turn, and entry IDs that count up.
 */
import { afterEach, beforeEach, describe } from 'vitest'
import type { Store } from '../../../server/store/store.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { bundleContract } from './bundle-contract.ts'
import { changeLogContract } from './change-log-contract.ts'
import { entryContract } from './entry-contract.ts'
import { federationContract } from './federation-contract.ts'
import { filterContract } from './filter-contract.ts'
import { nodeContract } from './node-contract.ts'
import { serverRegistryContract } from './server-registry-contract.ts'
import { smallStoresContract } from './small-stores-contract.ts'
import { START, type StoreUnderTest } from './store-under-test.ts'

export type OpenForTest = (options: { clock: Clock; randomId: () => string }) => Promise<Store>

/** @param open opens an empty store; the contract closes it */
export function storeContract(name: string, open: OpenForTest): void {
  describe(name, () => {
    let now: Date
    let store: Store

    beforeEach(async () => {
      now = START
      let ids = 0
      store = await open({
        clock: { now: () => now, sleep: () => Promise.reject(new Error('a store never sleeps')) },
        randomId: () => `random-${++ids}`,
      })
    })
    afterEach(() => store.close())

    const underTest = (): StoreUnderTest => ({
      store,
      setNow: (next) => {
        now = next
      },
    })
    describe('entries', () => entryContract(underTest))
    describe('filters', () => filterContract(underTest))
    describe('nodes', () => nodeContract(underTest))
    describe('bundles', () => bundleContract(underTest))
    describe('federation', () => federationContract(underTest))
    describe('the change log', () => changeLogContract(underTest))
    describe('the servers of the store', () => serverRegistryContract(underTest))
    describe('join tokens, journals and the store itself', () => smallStoresContract(underTest))
  })
}
