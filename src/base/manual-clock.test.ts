import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from './manual-clock.ts'

test('sleepers wake in due order, each seeing its own time', async () => {
  const clock = new ManualClock(1_000)
  const seen: [string, number][] = []
  void clock.sleep(20).then(() => seen.push(['late', clock.now()]))
  void clock.sleep(10).then(() => seen.push(['early', clock.now()]))
  await clock.advance(30)
  assert.deepEqual(seen, [
    ['early', 1_010],
    ['late', 1_020],
  ])
  assert.equal(clock.now(), 1_030)
})

test('a sleeper that goes to sleep again while woken is woken again within the same advance', async () => {
  const clock = new ManualClock()
  let wakes = 0
  void (async () => {
    for (;;) {
      await clock.sleep(10)
      wakes++
    }
  })()
  await clock.advance(35)
  assert.equal(wakes, 3)
})

test('an aborted sleep rejects with the reason and is forgotten', async () => {
  const clock = new ManualClock()
  const abort = new AbortController()
  const sleeping = clock.sleep(10, abort.signal)
  abort.abort(new Error('stopped'))
  await assert.rejects(sleeping, /stopped/)
  assert.equal(clock.nextWakeAt(), undefined)
})
