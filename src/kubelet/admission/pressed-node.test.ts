import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import type { NodePressures } from '../node/node-conditions.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { refusedUnderPressure } from './pressed-node.ts'

const calm: NodePressures = { memoryPressure: false, diskPressure: false, pidPressure: false }
const memory = { ...calm, memoryPressure: true }
const disk = { ...calm, diskPressure: true }

const bestEffort = podOf({ containers: [spec('app')] })
const burstable = podOf({ containers: [spec('app', { resources: { requests: { memory: '1Mi' } } })] })
const critical = podOf({ containers: [spec('app')], priority: 2_000_000_000 })
const tolerates = (key: string) =>
  podOf({ containers: [spec('app')], tolerations: [{ key, operator: 'Exists' }] })

const cases: Record<string, [Pod, NodePressures, string | undefined]> = {
  'nothing presses': [bestEffort, calm, undefined],
  'best effort, short of memory': [bestEffort, memory, '[MemoryPressure]'],
  'one that asks for memory, short of memory': [burstable, memory, undefined],
  'best effort that tolerates it': [tolerates('node.kubernetes.io/memory-pressure'), memory, undefined],
  'best effort that tolerates something else': [
    tolerates('node.kubernetes.io/disk-pressure'),
    memory,
    '[MemoryPressure]',
  ],
  'one that asks for memory, short of disk': [burstable, disk, '[DiskPressure]'],
  'one that asks for memory, short of both': [
    burstable,
    { ...memory, diskPressure: true },
    '[MemoryPressure DiskPressure]',
  ],
  'a critical one': [critical, { ...disk, pidPressure: true }, undefined],
}

for (const [what, [pod, pressures, conditions]] of Object.entries(cases)) {
  test(`a node under pressure: ${what} is ${conditions ? 'refused' : 'taken'}`, () => {
    const expected = conditions && {
      reason: 'Evicted',
      message: `Pod was rejected: The node had condition: ${conditions}. `,
    }
    assert.deepEqual(refusedUnderPressure(pod, pressures), expected)
  })
}
