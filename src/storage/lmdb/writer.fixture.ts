// A child process for lmdb-storage.test.ts: writes as fast as it can and prints what is acknowledged, until it is killed.
import { writeSync } from 'node:fs'
import { configMap, written } from '../contract.ts'
import { openLmdbStorage } from './lmdb-storage.ts'

const storage = openLmdbStorage({ directory: process.argv[2]!, onFatal: () => process.exit(1) })
let next = storage.revision() * 1_000

async function write(writer: number): Promise<never> {
  for (;;) {
    const key = `/k/${next++}`
    const created = written(await storage.create(key, configMap('x', `${writer}`)))
    writeSync(1, `put ${key} ${created.revision}\n`)
    if (created.revision % 3 > 0) continue
    const removed = written(await storage.delete(key, created.revision))
    writeSync(1, `delete ${key} ${removed.revision}\n`)
    if (removed.revision % 7 === 0) void storage.compact(removed.revision - 5)
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)))
