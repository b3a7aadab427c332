import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import { storeContract } from '../contract.ts'

storeContract('the SQLite store', (options) => openStore({ ...options, path: ':memory:' }))
