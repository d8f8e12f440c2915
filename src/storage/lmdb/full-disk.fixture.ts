// A child process for lmdb-storage.test.ts that may not write large files: writes until the store fails, and
// prints what is acknowledged and how it ended.
import { configMap } from '../contract.ts'
import { openLmdbStorage } from './lmdb-storage.ts'

const storage = openLmdbStorage({
  directory: process.argv[2]!,
  onFatal: error => console.log(`fatal ${error instanceof Error}`),
})

async function write(key: string): Promise<void> {
  try {
    await storage.create(key, configMap('x', 'x'.repeat(20_000)))
    console.log(`acknowledged ${key}`)
  } catch (error) {
    console.log(`refused ${(error as Error).message}`)
  }
}

for (let round = 0; round < 200; round++) {
  await Promise.all([write(`/${round}/a`), write(`/${round}/b`), write(`/${round}/c`)])
}
console.log(`revision ${storage.revision()}`)
await storage.close()
