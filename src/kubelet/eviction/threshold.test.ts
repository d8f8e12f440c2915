import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observeNode } from './measure-node.ts'
import { parseThresholds, SIGNALS } from './threshold.ts'

const MI = 2 ** 20
const GI = 2 ** 30

test('thresholds are read as the kubelet configuration writes them', () => {
  const hardOnes = { 'memory.available': '100Mi', 'nodefs.available': '10%' }
  const soft = { 'memory.available': '1Gi' }
  assert.deepEqual(parseThresholds(hardOnes, soft, { 'memory.available': '1m30s' }), [
    { signal: 'memory.available', value: { amount: 100 * MI, text: '100Mi' }, graceMs: 0 },
    { signal: 'nodefs.available', value: { share: 0.1 }, graceMs: 0 },
    { signal: 'memory.available', value: { amount: GI, text: '1Gi' }, graceMs: 90_000 },
  ])
  for (const [signal, value] of [
    ['cpu.available', '1'],
    ['memory.available', '-1'],
    ['nodefs.available', '101%'],
    ['nodefs.available', '0'],
  ] as const)
    assert.throws(() => parseThresholds({ [signal]: value }))
  assert.throws(() => parseThresholds({}, soft), /grace period must be specified/)
})

test('the kernel tells something about every signal of this machine', () => {
  const observations = observeNode('/', '/')
  for (const signal of SIGNALS.filter(signal => observations[signal])) {
    const { available, capacity } = observations[signal]!
    assert.ok(available > 0 && available <= capacity, `${signal}: ${available} of ${capacity}`)
  }
  assert.ok(
    observations['memory.available'] && observations['nodefs.available'] && observations['pid.available'],
  )
})
