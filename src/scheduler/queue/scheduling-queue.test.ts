import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { backoffMs, SchedulingQueue } from './scheduling-queue.ts'

const pod = (uid: string, priority = 0, gates: string[] = []) =>
  ({
    metadata: { uid },
    spec: { priority, schedulingGates: gates.map(name => ({ name })) },
  }) as Pod

const never = new AbortController().signal
const FIT = new Set(['NodeResourcesFit'])

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

function setUp() {
  const clock = new ManualClock(1_000_000)
  return { clock, queue: new SchedulingQueue(clock) }
}

/** Added and turned away. */
async function turnedAway(queue: SchedulingQueue, ...pods: Pod[]): Promise<void> {
  for (const one of pods) {
    queue.add(one)
    queue.rejected(await queue.next(never), FIT)
  }
}

test('higher priority goes first, and among equals the older', async () => {
  const { clock, queue } = setUp()
  queue.add(pod('old'))
  await clock.advance(1)
  queue.add(pod('new'))
  queue.add(pod('urgent', 10))
  assert.deepEqual(await drain(queue), ['urgent', 'old', 'new'])
})

test('an unschedulable Pod waits for something that may help it', async () => {
  const { clock, queue } = setUp()
  await turnedAway(queue, pod('a'))
  queue.wake(({ rejectedBy }) => rejectedBy.has('TaintToleration'))
  await clock.advance(20_000)
  assert.deepEqual(await drain(queue), [])
  queue.wake(({ rejectedBy }) => rejectedBy.has('NodeResourcesFit'))
  assert.deepEqual(await drain(queue), ['a'])
})

test('a Pod that backs off lets every other go first, and is tried early when there is none', async () => {
  const { queue } = setUp()
  await turnedAway(queue, pod('backing-off', 100))
  queue.wake(() => true)
  queue.add(pod('fresh'))
  assert.deepEqual(await drain(queue), ['fresh', 'backing-off'])
})

test('a Pod that failed for an error waits out its back-off whatever happens', async () => {
  const { clock, queue } = setUp()
  queue.add(pod('a'))
  queue.errored(await queue.next(never))
  queue.wake(() => true)
  const seen: number[] = []
  void queue.next(never).then(() => seen.push(clock.now()))
  await clock.advance(999)
  assert.deepEqual(seen, [])
  await clock.advance(1)
  assert.deepEqual(seen, [1_001_000])
})

test('of Pods whose back-off ends in the same second the important one goes first', async () => {
  const { clock, queue } = setUp()
  await turnedAway(queue, pod('plain'))
  await clock.advance(100)
  await turnedAway(queue, pod('urgent', 10))
  queue.wake(() => true)
  assert.deepEqual(await drain(queue), ['urgent', 'plain'])
})

test('a Pod that nothing wakes is tried again after five minutes', async () => {
  const { clock, queue } = setUp()
  await turnedAway(queue, pod('a'))
  await clock.advance(299_999)
  assert.deepEqual(await drain(queue), [])
  await clock.advance(1)
  assert.deepEqual(await drain(queue), ['a'])
})

test('a Pod with gates is not tried until they are gone', async () => {
  const { queue } = setUp()
  queue.add(pod('a', 0, ['example.com/gate']))
  queue.wake(() => true)
  assert.deepEqual(await drain(queue), [])
  queue.update(pod('a'), () => false)
  assert.deepEqual(await drain(queue), ['a'])
})

test('a changed Pod is tried again when the change may help', async () => {
  const { queue } = setUp()
  await turnedAway(queue, pod('a'))
  queue.update(pod('a', 1), () => false)
  assert.deepEqual(await drain(queue), [])
  queue.update(pod('a', 2), () => true)
  const { pod: next, attempts } = await queue.next(never)
  assert.deepEqual([next.spec.priority, attempts], [2, 1])
})

test('a removed Pod is not tried, wherever it waited', async () => {
  const { queue } = setUp()
  await turnedAway(queue, pod('unschedulable'), pod('backing-off'))
  queue.add(pod('gated', 0, ['g']))
  queue.add(pod('active'))
  assert.equal(queue.size, 4)
  for (const uid of ['unschedulable', 'backing-off', 'gated', 'active']) queue.remove(uid)
  assert.equal(queue.size, 0)
  assert.deepEqual(await drain(queue), [])
})

test('the back-off doubles from one second to ten', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 9].map(backoffMs), [0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
})
