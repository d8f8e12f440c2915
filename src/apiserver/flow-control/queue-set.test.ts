import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlowStats } from './flow-stats.ts'
import { QueueSet } from './queue-set.ts'
import { deal, hashFlow } from './shuffle-sharding.ts'
import { Ticket, type Work } from './ticket.ts'

const ONE: Work = { initialSeats: 1, finalSeats: 0, lingerMs: 0 }
const stats = () => new FlowStats('level', 'schema')

function ticket(hand: readonly number[] = [], work: Partial<Work> = {}, counted = stats()): Ticket {
  const info = { isResource: false as const, verb: 'get', path: '/' }
  const user = { name: 'jane', groups: [] }
  return new Ticket({ info, user, stats: counted, flow: '', hand, work: { ...ONE, ...work } })
}

const queues = (count: number, limit: number, lengthLimit = 50) =>
  new QueueSet({ queues: count, lengthLimit }, limit, 0)

const runs = (one: Ticket) => one.startedAt !== undefined

test('without queues what does not fit is refused, and fits again when another is done', () => {
  const set = queues(0, 2)
  const [a, b, c, d] = [ticket(), ticket(), ticket(), ticket()]
  assert.equal(set.arrive(a, 0), 'running')
  assert.equal(set.arrive(b, 0), 'running')
  assert.equal(set.arrive(c, 0), 'concurrency-limit')
  assert.equal(c.stats.rejected.get('concurrency-limit'), 1)
  assert.equal(set.finish(a, 5), 0)
  assert.equal(set.arrive(d, 5), 'running')
  assert.deepEqual([set.executing, set.seatsInUse, set.dispatched, set.refused.rejected], [2, 2, 3, 1])
})

test('an exempt level runs everything and counts it', () => {
  const set = new QueueSet({ queues: 'unlimited', lengthLimit: 0 }, 0, 0)
  const all = Array.from({ length: 1000 }, () => ticket())
  for (const one of all) assert.equal(set.arrive(one, 0), 'running')
  assert.deepEqual([set.executing, set.seatsInUse, set.isIdle], [1000, 1000, false])
  for (const one of all) set.finish(one, 1)
  assert.deepEqual([set.executing, set.seatsInUse, set.isIdle], [0, 0, true])
})

test('what finds no seat waits; a full queue refuses; a free seat calls the next', () => {
  const set = queues(1, 1, 2)
  const [a, b, c, d] = [ticket([0]), ticket([0]), ticket([0]), ticket([0])]
  const called: string[] = []
  b.started = () => called.push('b')
  c.started = () => called.push('c')
  assert.deepEqual(
    [a, b, c, d].map(one => set.arrive(one, 0)),
    ['running', 'waiting', 'waiting', 'queue-full'],
  )
  assert.deepEqual([set.waiting, set.seatsWaiting, b.stats.waiting], [2, 2, 1])
  set.finish(a, 10)
  assert.deepEqual(called, ['b'])
  set.finish(b, 20)
  assert.deepEqual(called, ['b', 'c'])
  set.finish(c, 30)
  assert.deepEqual([set.isIdle, set.seatsInUse, [...set.queues()].length], [true, 0, 0])
})

for (const [reason, count] of [
  ['time-out', 'timedOut'],
  ['cancelled', 'cancelled'],
] as const) {
  test(`one that gives up (${reason}) leaves the queue, and the next moves up`, () => {
    const set = queues(1, 1)
    const [a, b, c] = [ticket([0]), ticket([0]), ticket([0])]
    for (const one of [a, b, c]) set.arrive(one, 0)
    assert.equal(set.giveUp(b, reason, 15_000), true)
    assert.equal(set.refused[count], 1)
    assert.equal(b.stats.rejected.get(reason), 1)
    set.finish(a, 15_001)
    assert.deepEqual([runs(b), runs(c), set.waiting], [false, true, 0])
    assert.equal(set.giveUp(c, reason, 15_002), false)
  })
}

test('a flood of one flow does not hold up another flow', () => {
  const set = queues(4, 2, 100)
  const flood = Array.from({ length: 80 }, () => ticket([0]))
  for (const one of flood) set.arrive(one, 0)
  const quiet = [ticket([3]), ticket([3])]
  for (const one of quiet) set.arrive(one, 1)
  // Each takes 10 ms; two run at a time.
  let now = 1
  const running = flood.filter(runs)
  for (let turn = 0; turn < 4; turn++) {
    now += 10
    set.finish(running.shift()!, now)
    running.push(...[...flood, ...quiet].filter(one => one.startedAt === now))
  }
  assert.deepEqual(quiet.map(runs), [true, true])
  assert.ok(flood.filter(runs).length < 8)
})

test('flows that always want more get the same number of seat-seconds, however long their requests take', () => {
  const set = queues(2, 3, 1000)
  const took = [5, 20]
  const served = [0, 0]
  let now = 0
  const running: { one: Ticket; flow: number; due: number }[] = []
  const come = (flow: number) => {
    const one = ticket([flow])
    one.started = () => running.push({ one, flow, due: now + took[flow]! })
    if (set.arrive(one, now) === 'running' && !running.some(entry => entry.one === one)) one.started()
  }
  for (let at = 0; at < 10; at++) for (const flow of [0, 1]) come(flow)
  while (now < 20_000) {
    running.sort((a, b) => a.due - b.due)
    const { one, flow, due } = running.shift()!
    now = due
    served[flow]! += took[flow]!
    set.finish(one, now)
    come(flow)
  }
  const [short, long] = served as [number, number]
  assert.ok(Math.abs(short - long) / (short + long) < 0.05, `${short} ms and ${long} ms`)
})

test('a wide one takes its turn alone when it is wider than all seats, and others wait for it', () => {
  const set = queues(2, 2)
  const [a, wide, b] = [ticket([0]), ticket([0], { initialSeats: 5 }), ticket([1])]
  set.arrive(a, 0)
  assert.equal(set.arrive(wide, 0), 'waiting')
  assert.equal(wide.stats.notAccommodated, 1)
  set.finish(a, 50)
  assert.deepEqual([runs(wide), set.seatsInUse], [true, 5])
  assert.equal(set.arrive(b, 50), 'waiting')
  set.finish(wide, 60)
  assert.equal(runs(b), true)
})

test('seats for telling watchers are held after the answer, and no wider than the limit', () => {
  const set = queues(1, 4)
  const one = ticket([0], { finalSeats: 8, lingerMs: 5 })
  const next = ticket([0])
  assert.equal(set.arrive(one, 0), 'running')
  assert.deepEqual(one.work, { initialSeats: 1, finalSeats: 4, lingerMs: 10 })
  assert.equal(set.arrive(next, 0), 'waiting')
  assert.equal(set.finish(one, 3), 10)
  assert.deepEqual([set.executing, set.seatsInUse, runs(next)], [0, 4, false])
  set.release(one, 13)
  assert.deepEqual([runs(next), set.seatsInUse], [true, 1])
})

test('a higher limit lets those in who wait; a change to refusing lets them drain', () => {
  const set = queues(2, 1)
  const all = [0, 1, 0, 1].map(hand => ticket([hand]))
  for (const one of all) set.arrive(one, 0)
  set.configure({ queues: 2, lengthLimit: 50 }, 3, 1)
  assert.equal(all.filter(runs).length, 3)
  set.configure({ queues: 0, lengthLimit: 50 }, 3, 2)
  assert.equal(set.arrive(ticket(), 2), 'concurrency-limit')
  set.finish(all.find(runs)!, 3)
  assert.equal(all.filter(runs).length, 4)
})

test('of equal queues each gets its turn', () => {
  const set = queues(3, 1)
  const order: number[] = []
  const first = ticket([0])
  set.arrive(first, 0)
  const rest = [2, 1, 0, 2, 1, 0].map(hand => {
    const one = ticket([hand])
    one.started = () => order.push(hand)
    set.arrive(one, 0)
    return one
  })
  let running = first
  while (order.length < rest.length) {
    set.finish(running, 0)
    running = rest.find(one => runs(one) && one.queue?.executing.has(one))!
  }
  assert.deepEqual(order.slice(0, 3).toSorted(), [0, 1, 2])
  assert.deepEqual(order.slice(3).toSorted(), [0, 1, 2])
})

test('of the hand the queue with the least work is taken', () => {
  const set = queues(64, 1)
  const hand = deal(hashFlow('schema', 'jane'), 64, 4)
  set.arrive(ticket(hand), 0)
  const all = Array.from({ length: 8 }, () => ticket(hand))
  for (const one of all) set.arrive(one, 0)
  const lengths = hand.map(index => set.queue(index)?.waiting.size ?? 0)
  assert.deepEqual(lengths, [2, 2, 2, 2])
})

test('demand counts those that run and those that wait', () => {
  const set = queues(1, 2)
  const all = Array.from({ length: 6 }, () => ticket([0]))
  for (const one of all) set.arrive(one, 0)
  const { highWatermark, average } = set.demand.close(10_000)
  assert.deepEqual([highWatermark, average], [6, 6])
})
