// Random histories must read the same from a store in memory and from one on disk that is closed and opened in between.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { configMap } from './contract.ts'
import { openLmdbStorage } from './lmdb/lmdb-storage.ts'
import { MemoryStorage } from './memory/memory-storage.ts'
import type { Storage, StorageEvent, WriteResult } from './storage.ts'

type Operation =
  | { do: 'create'; key: string; value: string }
  /** `stale` offers a revision that is off by one. */
  | { do: 'update'; key: string; value: string; stale: boolean }
  | { do: 'delete'; key: string; stale: boolean }
  | { do: 'compact'; back: number }
  | { do: 'list'; prefix: string; back: number; limit: number; after: string | undefined }
  | { do: 'watch'; prefix: string; back: number }
  | { do: 'reopen' }

const key = fc.constantFrom('/a/1', '/a/2', '/a/3', '/ab/1', '/b/1')
const prefix = fc.constantFrom('/', '/a', '/a/', '/b/', '/none/')
const value = fc.string({ maxLength: 3 })
const stale = fc.integer({ max: 5, min: 0 }).map(n => n === 0)
const back = fc.integer({ min: -1, max: 12 })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), key, value }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('update' as const), key, value, stale }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key, stale }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), back }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      prefix,
      back,
      limit: fc.integer({ min: 1, max: 4 }),
      after: fc.option(key, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('watch' as const), prefix, back }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
)

async function outcome(action: () => Promise<unknown>): Promise<unknown> {
  try {
    return await action()
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

async function eventsSince(storage: Storage, under: string, after: number): Promise<StorageEvent[]> {
  const abort = new AbortController()
  const watch = storage.watch(under, { after, signal: abort.signal })
  storage.progress()
  const events: StorageEvent[] = []
  for await (const event of watch) {
    events.push(event)
    if (event.type === 'progress') break
  }
  abort.abort()
  return events
}

/** `seen` is the revision that the next conditional write believes the key to be at. */
function perform(
  storage: Storage,
  operation: Exclude<Operation, { do: 'reopen' }>,
  seen: Map<string, number>,
): Promise<unknown> {
  switch (operation.do) {
    case 'create':
      return storage.create(operation.key, configMap('x', operation.value))
    case 'update':
      return storage.update(
        operation.key,
        configMap('x', operation.value),
        (seen.get(operation.key) ?? 1) - Number(operation.stale),
      )
    case 'delete':
      return storage.delete(operation.key, (seen.get(operation.key) ?? 1) - Number(operation.stale))
    case 'compact':
      return outcome(() => storage.compact(Math.max(0, storage.revision() - operation.back)))
    case 'list': {
      const { limit, after } = operation
      const revision = Math.max(0, storage.revision() - operation.back)
      return outcome(() =>
        storage.list(operation.prefix, { limit, revision, ...(after !== undefined && { after }) }),
      )
    }
    case 'watch':
      return outcome(() =>
        eventsSince(storage, operation.prefix, Math.max(0, storage.revision() - operation.back)),
      )
  }
}

function remember(seen: Map<string, number>, operation: Operation, result: unknown): void {
  if (!('key' in operation)) return
  const write = result as WriteResult
  const current = write.ok ? write.stored : write.current
  if (current) seen.set(operation.key, current.revision)
}

test('a store on disk and one in memory cannot be told apart', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), fc.boolean(), async (operations, inFlight) => {
      const directory = mkdtempSync(join(tmpdir(), 'kubernode-equal-'))
      const open = () => openLmdbStorage({ directory, onFatal: error => assert.fail(String(error)) })
      let disk = open()
      const memory = new MemoryStorage()
      const [seenOnDisk, seenInMemory] = [new Map<string, number>(), new Map<string, number>()]
      try {
        for (const next of operations) {
          if (next.do === 'reopen') {
            await disk.close()
            disk = open()
            continue
          }
          // A second, identical write made before the first is acknowledged must be judged the same way too.
          const twice = inFlight && 'key' in next
          const run = (storage: Storage, seen: Map<string, number>) =>
            Promise.all([perform(storage, next, seen), ...(twice ? [perform(storage, next, seen)] : [])])
          const [onDisk, inMemory] = [await run(disk, seenOnDisk), await run(memory, seenInMemory)]
          assert.deepEqual(onDisk, inMemory)
          remember(seenOnDisk, next, onDisk.at(-1))
          remember(seenInMemory, next, inMemory.at(-1))
        }
        assert.deepEqual(await disk.list('/'), await memory.list('/'))
        const oldest = memory.compactedRevision()
        assert.equal(disk.compactedRevision(), oldest)
        assert.deepEqual(await eventsSince(disk, '/', oldest), await eventsSince(memory, '/', oldest))
      } finally {
        await disk.close()
        rmSync(directory, { recursive: true })
      }
    }),
    { numRuns: 60 },
  )
})
