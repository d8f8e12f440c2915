import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../api/types/core-v1.ts'
import { ManualClock } from '../base/manual-clock.ts'
import { ProxyHealth } from './proxy-health.ts'

async function after(...steps: ('queued' | 'updated' | number)[]): Promise<ProxyHealth> {
  const clock = new ManualClock(1_000_000)
  const health = new ProxyHealth(clock)
  for (const step of steps) {
    if (typeof step === 'number') await clock.advance(step)
    else health[step]()
  }
  return health
}

const cases: Record<string, [steps: Parameters<typeof after>, isHealthy: boolean, lastUpdatedAt: number]> = {
  'it is well while it starts': [['queued', 90_000], true, 1_090_000],
  'it is well while nothing changes': [['updated', 600_000], true, 1_600_000],
  'it is well while a change waits for a while': [['updated', 'queued', 59_999], true, 1_059_999],
  'it is not while a change waits for long': [['updated', 5_000, 'queued', 60_000], false, 1_000_000],
  'the oldest change counts': [['updated', 'queued', 30_000, 'queued', 30_000], false, 1_000_000],
  'it is well again when the kernel has caught up': [
    ['updated', 'queued', 90_000, 'updated'],
    true,
    1_090_000,
  ],
}

for (const [title, [steps, isHealthy, lastUpdatedAt]] of Object.entries(cases)) {
  test(`the proxy’s health: ${title}`, async () => {
    const health = await after(...steps)
    assert.deepEqual(
      { isHealthy: health.isHealthy, at: health.lastUpdatedAt },
      { isHealthy, at: lastUpdatedAt },
    )
  })
}

const node = (metadata: object, taints: string[] = []) =>
  ({ metadata: { name: 'n', ...metadata }, spec: { taints: taints.map(key => ({ key })) } }) as Node

test('a node that is on its way out is not for load balancers, though its proxy is well', async () => {
  const health = await after('updated')
  assert.equal(health.isEligible, true)
  health.sawNode(node({}, ['other', 'ToBeDeletedByClusterAutoscaler']))
  assert.equal(health.isEligible, false)
  health.sawNode(node({}, ['other']))
  assert.equal(health.isEligible, true)
  health.sawNode(node({ deletionTimestamp: '2026-01-01T00:00:00Z' }))
  assert.equal(health.isEligible, false)
  assert.equal(health.isHealthy, true)
})
