import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../base/log.ts'
import { ManualClock, settle } from '../base/manual-clock.ts'
import {
  type Informed,
  type Reconcile,
  runController,
  runReconciler,
  TerminalError,
} from './controller-loop.ts'
import { WorkQueue } from './workqueue.ts'

function start(reconcile: Reconcile, concurrency = 1) {
  const clock = new ManualClock()
  const queue = new WorkQueue({ clock })
  const abort = new AbortController()
  const running = runReconciler({ queue, reconcile, concurrency, signal: abort.signal, log: silentLog })
  return { clock, queue, abort, running }
}

test('a reconcile that fails is tried again with growing delays, and the delay is forgotten when it succeeds', async () => {
  const times: number[] = []
  const { clock, queue, abort, running } = start(async () => {
    times.push(clock.now())
    if (times.length < 4) throw new Error('not yet')
  })
  queue.add('a')
  await clock.advance(1_000)
  assert.deepEqual([times, queue.requeues('a')], [[0, 5, 15, 35], 0])
  abort.abort()
  await running
})

test('a reconcile that asks for it comes back later, a terminal failure does not', async () => {
  const seen: string[] = []
  const { clock, queue, abort, running } = start(async key => {
    seen.push(`${key} ${clock.now()}`)
    if (key === 'broken') throw new TerminalError('cannot be')
    if (seen.length < 3) return { requeueAfterMs: 30 }
  })
  queue.add('later')
  queue.add('broken')
  await clock.advance(1_000)
  assert.deepEqual(seen, ['later 0', 'broken 0', 'later 30'])
  abort.abort()
  await running
})

test('different keys are worked on at once up to the limit, one key never twice at once', async () => {
  const gate = Promise.withResolvers<void>()
  const underWay = new Set<string>()
  const { queue, abort, running } = start(async key => {
    assert.ok(!underWay.has(key))
    underWay.add(key)
    await gate.promise
    underWay.delete(key)
  }, 2)
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await settle()
  queue.add('a')
  assert.deepEqual([...underWay], ['a', 'b'])
  gate.resolve()
  await settle()
  assert.equal(underWay.size + queue.length, 0)
  abort.abort()
  await running
})

test('stopping waits for the reconcile under way, which sees the signal', async () => {
  const finish = Promise.withResolvers<void>()
  let aborted: boolean | undefined
  const { queue, abort, running } = start(async (_, signal) => {
    await finish.promise
    aborted = signal.aborted
  })
  queue.add('a')
  await settle()
  abort.abort()
  let stopped = false
  void running.then(() => {
    stopped = true
  })
  await settle()
  assert.equal(stopped, false)
  finish.resolve()
  await running
  assert.equal(aborted, true)
})

class SlowList implements Informed {
  readonly list = Promise.withResolvers<void>()
  readonly end = Promise.withResolvers<void>()
  readonly synced = this.list.promise

  run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.end.resolve(), { once: true })
    return this.end.promise
  }
}

test('a controller reconciles nothing before every informer has its list, and ends with them', async () => {
  const informers = [new SlowList(), new SlowList()]
  const seen: string[] = []
  const reconcile = async (key: string) => {
    seen.push(key)
  }
  const queue = new WorkQueue({ clock: new ManualClock() })
  const abort = new AbortController()
  const running = runController({ informers, queue, reconcile, signal: abort.signal, log: silentLog })
  queue.add('a')
  informers[0]!.list.resolve()
  await settle()
  assert.deepEqual(seen, [])
  informers[1]!.list.resolve()
  await settle()
  assert.deepEqual(seen, ['a'])
  abort.abort()
  await running
})

test('a controller that is stopped before the lists are there ends without having reconciled', async () => {
  const queue = new WorkQueue({ clock: new ManualClock() })
  const abort = new AbortController()
  const reconcile = () => assert.fail('reconciled without a list')
  const informers = [new SlowList()]
  const running = runController({ informers, queue, reconcile, signal: abort.signal, log: silentLog })
  queue.add('a')
  abort.abort()
  await running
})
