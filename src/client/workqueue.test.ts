import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, settle } from '../base/manual-clock.ts'
import { WorkQueue } from './workqueue.ts'

function make() {
  const clock = new ManualClock()
  return { clock, queue: new WorkQueue({ clock }) }
}

/** Everything that can be taken now. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const taken: string[] = []
  while (queue.length > 0) taken.push((await queue.get())!)
  return taken
}

test('an item added twice is handed out once, in the order of first adding', async () => {
  const { queue } = make()
  for (const item of ['a', 'b', 'a']) queue.add(item)
  assert.deepEqual(await drain(queue), ['a', 'b'])
})

test('an item added while it is worked on comes back after done, once', async () => {
  const { queue } = make()
  queue.add('a')
  await queue.get()
  queue.add('a')
  queue.add('a')
  assert.equal(queue.length, 0)
  queue.done('a')
  assert.deepEqual(await drain(queue), ['a'])
  queue.done('a')
  assert.equal(queue.length, 0)
})

test('workers that wait get items in the order in which they asked', async () => {
  const { queue } = make()
  const got = [queue.get(), queue.get()]
  queue.add('a')
  queue.add('b')
  assert.deepEqual(await Promise.all(got), ['a', 'b'])
})

test('of two delays of one item the shorter one counts, and it is added once', async () => {
  const { queue, clock } = make()
  queue.addAfter('a', 50)
  queue.addAfter('a', 20)
  queue.addAfter('a', 90)
  await clock.advance(19)
  assert.equal(queue.length, 0)
  await clock.advance(1)
  assert.deepEqual(await drain(queue), ['a'])
  queue.done('a')
  await clock.advance(100)
  assert.equal(queue.length, 0)
  assert.equal(clock.nextWakeAt(), undefined)
})

test('rate-limited returns take twice as long each time until the item is forgotten', async () => {
  const { queue, clock } = make()
  const waits: number[] = []
  for (let round = 0; round < 4; round++) {
    const startedAt = clock.now()
    queue.addRateLimited('a')
    while (queue.length === 0) await clock.advance(clock.nextWakeAt()! - clock.now())
    waits.push(clock.now() - startedAt)
    await drain(queue)
    queue.done('a')
  }
  assert.deepEqual([waits, queue.requeues('a')], [[5, 10, 20, 40], 4])
  queue.forget('a')
  queue.addRateLimited('a')
  await clock.advance(5)
  assert.deepEqual(await drain(queue), ['a'])
})

test('the longest rate-limited delay is a thousand seconds', async () => {
  const { queue, clock } = make()
  for (let round = 0; round < 40; round++) queue.addRateLimited(`x${round}`)
  for (let round = 0; round < 40; round++) queue.addRateLimited('a')
  await clock.advance(5)
  assert.ok(queue.length > 0)
  queue.forget('a')
  for (let round = 0; round < 60; round++) {
    await drain(queue)
    queue.done('a')
    queue.addRateLimited('a')
    if (round < 59) await clock.advance(1_000_000)
  }
  await clock.advance(999_999)
  assert.equal(queue.length, 0)
  await clock.advance(1)
  assert.equal(queue.length, 1)
})

test('after shutDown what waits is handed out, nothing new is taken, and workers are let go', async () => {
  const { queue, clock } = make()
  queue.add('a')
  queue.addAfter('b', 10)
  queue.shutDown()
  queue.add('c')
  await clock.advance(10)
  assert.deepEqual([await queue.get(), await queue.get()], ['a', undefined])
})

test('shutDownWithDrain waits for the items that are worked on', async () => {
  const { queue } = make()
  queue.add('a')
  await queue.get()
  let drained = false
  void queue.shutDownWithDrain().then(() => {
    drained = true
  })
  await settle()
  assert.equal(drained, false)
  queue.done('a')
  await settle()
  assert.equal(drained, true)
})
