import { storageContract } from '../contract.ts'
import { MemoryStorage } from './memory-storage.ts'

storageContract('memory', async () => {
  const storage = new MemoryStorage()
  return { storage, close: () => storage.close() }
})
