// When a threshold is met, which pod goes for it, and what is said about it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { fine, GI, hard, judge, low, MI, RULES, TRANSITION_MS, usage } from '../testing/eviction.fixture.ts'
import { choosePod, type EvictionState, nothingSeen } from './judge.ts'
import { type Observations, parseThresholds } from './threshold.ts'

test('a hard threshold is acted on at once; the pressure shows for a while after it is over', () => {
  const first = judge(hard, low, nothingSeen, 1_000)
  assert.equal(first.starved?.signal, 'memory.available')
  assert.deepEqual(first.pressures, { memoryPressure: true, diskPressure: false, pidPressure: false })
  const second = judge(hard, fine, first.state, 2_000)
  assert.equal(second.starved, undefined)
  assert.equal(second.pressures.memoryPressure, true)
  const later = judge(hard, fine, second.state, 1_000 + TRANSITION_MS)
  assert.equal(later.pressures.memoryPressure, false)
})

test('a soft threshold must have been met without a break for its grace period', () => {
  const soft = parseThresholds({}, { 'memory.available': '1Gi' }, { 'memory.available': '1m' })
  const first = judge(soft, low, nothingSeen, 0)
  assert.equal(first.starved, undefined)
  assert.equal(first.pressures.memoryPressure, true)
  assert.equal(judge(soft, low, first.state, 60_000).starved?.signal, 'memory.available')
  const { metSince: _, ...seen } = first.state
  assert.equal(judge(soft, low, { ...seen, metSince: {} }, 60_000).starved, undefined)
})

test('memory is relieved before disks', () => {
  const both: Observations = { 'nodefs.available': { available: 1, capacity: GI }, ...low }
  assert.equal(judge(hard, both, nothingSeen, 0).starved?.signal, 'memory.available')
  assert.equal(judge(hard, both, nothingSeen, 0).pressures.diskPressure, true)
})

test('what was acted on holds until its minimum is reclaimed too', () => {
  const [threshold] = parseThresholds({ 'memory.available': '100Mi' }, {}, {}, { 'memory.available': '50Mi' })
  const left = (mi: number): Observations => ({ 'memory.available': { available: mi * MI, capacity: GI } })
  const look = (mi: number, before: EvictionState) => judge([threshold!], left(mi), before, 0)
  assert.equal(look(120, nothingSeen).starved, undefined)
  const first = look(90, nothingSeen)
  assert.ok(first.starved)
  const second = look(120, first.state)
  assert.ok(second.starved)
  assert.equal(look(150, second.state).starved, undefined)
})

test('a soft threshold gives a pod its own grace at most', () => {
  const [soft] = parseThresholds({}, { 'memory.available': '1Gi' }, { 'memory.available': '1m' })
  const graceOf = (own: number) => {
    const one = usage('p', MI)
    one.pod.spec.terminationGracePeriodSeconds = own
    return choosePod(soft!, low, [one], RULES)?.graceSeconds
  }
  assert.deepEqual([graceOf(5), graceOf(60)], [5, 30])
})

test('thresholds of 0% and 100% are none, and percentages are told as amounts', () => {
  assert.deepEqual(parseThresholds({ 'nodefs.available': '0%', 'imagefs.available': '100%' }), [])
  const [share] = parseThresholds({ 'nodefs.inodesFree': '10%' })
  const inodes = { available: 2_000, capacity: 40_960 }
  const eviction = choosePod(share!, { 'nodefs.inodesFree': inodes }, [usage('p', 0)], RULES)
  assert.equal(
    eviction?.message,
    'The node was low on resource: inodes. Threshold quantity: 4Ki, available: 2k. ',
  )
})

test('the event’s annotations are for programs', () => {
  const eviction = choosePod(hard[0]!, low, [usage('greedy', 60 * MI, { request: '10Mi' })], RULES)
  assert.deepEqual(eviction?.annotations, {
    offending_containers: 'app',
    offending_containers_usage: '60Mi',
    starved_resource: 'memory',
  })
})

test('the message names resource, threshold and the containers that use more than they asked for', () => {
  const eviction = choosePod(hard[0]!, low, [usage('greedy', 60 * MI, { request: '10Mi' })], RULES)
  assert.deepEqual(eviction && { message: eviction.message, graceSeconds: eviction.graceSeconds }, {
    message:
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container app was using 60Mi, request is 10Mi, has larger consumption of memory. ',
    graceSeconds: 1,
  })
})

test('critical and static pods are spared', () => {
  const mirror = usage('mirror', GI)
  mirror.pod.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }
  assert.equal(
    choosePod(hard[0]!, low, [usage('system', GI, { priority: 2_000_000_000 }), mirror], RULES),
    undefined,
  )
})
