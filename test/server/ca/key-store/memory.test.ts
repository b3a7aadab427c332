import { memoryKeyStore } from '../../../../server/ca/key-store/memory.ts'
import { keyStoreContract } from './contract.ts'

keyStoreContract('memory key store', async () => memoryKeyStore())
