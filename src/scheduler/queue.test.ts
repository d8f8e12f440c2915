import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../api/types/core-v1.ts'
import { ManualClock, settle } from '../base/manual-clock.ts'
import { backoffMs, SchedulingQueue } from './queue.ts'

const pod = (uid: string, priority = 0) => ({ metadata: { uid }, spec: { priority } }) as Pod

const never = new AbortController().signal

async function drain(queue: SchedulingQueue): Promise<string[]> {
  const seen: string[] = []
  const stop = new AbortController()
  void (async () => {
    for (;;) seen.push((await queue.next(stop.signal)).pod.metadata.uid)
  })().catch(() => {})
  await settle()
  stop.abort()
  return seen
}

test('higher priority goes first, and among equals the older', async () => {
  const clock = new ManualClock()
  const queue = new SchedulingQueue(clock)
  queue.add(pod('old'))
  await clock.advance(1)
  queue.add(pod('new'))
  queue.add(pod('urgent', 10))
  assert.deepEqual(await drain(queue), ['urgent', 'old', 'new'])
})

test('an unschedulable Pod waits for a change that concerns it, and for its back-off', async () => {
  const clock = new ManualClock()
  const queue = new SchedulingQueue(clock)
  queue.add(pod('a'))
  const tried = await queue.next(never)
  queue.failed(tried, tried.pod, new Set(['NodeResourcesFit']), false)
  queue.wake(new Set(['TaintToleration']))
  await clock.advance(5_000)
  assert.deepEqual(await drain(queue), [])
  queue.wake(new Set(['NodeResourcesFit']))
  assert.deepEqual(await drain(queue), ['a'])
})

test('a change within the back-off makes the Pod wait out the rest of it', async () => {
  const clock = new ManualClock()
  const queue = new SchedulingQueue(clock)
  queue.add(pod('a'))
  const tried = await queue.next(never)
  queue.failed(tried, tried.pod, new Set(), false)
  queue.wake()
  const seen: number[] = []
  void queue.next(never).then(() => seen.push(clock.now()))
  await clock.advance(999)
  assert.deepEqual(seen, [])
  await clock.advance(1)
  assert.deepEqual(seen, [1_000])
})

test('a Pod that nothing wakes is tried again after five minutes', async () => {
  const clock = new ManualClock()
  const queue = new SchedulingQueue(clock)
  queue.add(pod('a'))
  const tried = await queue.next(never)
  queue.failed(tried, tried.pod, new Set(['NodeAffinity']), false)
  await clock.advance(300_000)
  assert.deepEqual(await drain(queue), ['a'])
})

test('a removed Pod is not tried', async () => {
  const queue = new SchedulingQueue(new ManualClock())
  queue.add(pod('a'))
  queue.remove('a')
  assert.deepEqual(await drain(queue), [])
})

test('the back-off doubles from one second to ten', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 9].map(backoffMs), [0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
})
