import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../base/log.ts'
import { ManualClock } from '../base/manual-clock.ts'
import { Compactor } from './compactor.ts'
import { configMap, written } from './contract.ts'
import { MemoryStorage } from './memory/memory-storage.ts'

async function withCompactor(
  options: { maxHistory?: number },
  body: (storage: MemoryStorage, clock: ManualClock) => Promise<void>,
): Promise<void> {
  const storage = new MemoryStorage()
  const clock = new ManualClock()
  const abort = new AbortController()
  const running = new Compactor({ storage, clock, log: silentLog, ...options }).run(abort.signal)
  await body(storage, clock)
  abort.abort()
  await running
}

async function write(storage: MemoryStorage, count: number): Promise<void> {
  for (let i = 0; i < count; i++) written(await storage.create(`/${storage.revision()}`, configMap('x')))
}

test('history reaches back one to two intervals', () =>
  withCompactor({}, async (storage, clock) => {
    await write(storage, 3)
    await clock.advance(300_000)
    assert.equal(storage.compactedRevision(), 1)
    await write(storage, 2)
    await clock.advance(299_999)
    assert.equal(storage.compactedRevision(), 1)
    await clock.advance(1)
    assert.equal(storage.compactedRevision(), 4)
    await clock.advance(300_000)
    assert.equal(storage.compactedRevision(), 6)
  }))

test('a burst of changes is bounded by count before its interval is over', () =>
  withCompactor({ maxHistory: 10 }, async (storage, clock) => {
    await write(storage, 30)
    await clock.advance(10_000)
    assert.equal(storage.compactedRevision(), 21)
  }))
