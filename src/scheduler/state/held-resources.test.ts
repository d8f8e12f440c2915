import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import { pod } from '../testing/scheduling.fixture.ts'
import { requestsOf } from './amounts.ts'
import { withHeldResources } from './held-resources.ts'

function resized(cpu: string, held: { actual?: string; allocated?: string }, pending = false): Pod {
  const { actual, allocated } = held
  const status = {
    containerStatuses: [
      {
        name: 'c',
        ...(actual && { resources: { requests: { cpu: actual } } }),
        ...(allocated && { allocatedResources: { cpu: allocated } }),
      },
    ],
    ...(pending && { conditions: [{ type: 'PodResizePending', status: 'True' }] }),
  } as unknown as Pod['status']
  return pod('p', { requests: { cpu }, status })
}

const table: Record<string, [Pod, number]> = {
  'nothing known of the containers': [pod('p', { requests: { cpu: '1' } }), 1000],
  'as asked for': [resized('1', { actual: '1', allocated: '1' }), 1000],
  'growing: the new amount counts at once': [resized('2', { actual: '1', allocated: '1' }), 2000],
  'shrinking: the old amount counts until it is given back': [
    resized('1', { actual: '2', allocated: '1' }),
    2000,
  ],
  'growing is put off: only what it holds counts': [
    resized('8', { actual: '1', allocated: '1' }, true),
    1000,
  ],
  'allocated and not yet there': [resized('2', { actual: '1', allocated: '2' }), 2000],
}
for (const [what, [one, milliCpu]] of Object.entries(table)) {
  test(what, () => assert.equal(requestsOf(one).milliCpu, milliCpu))
}

test('a Pod that holds what it asks for stays the same object', () => {
  const one = resized('1', { actual: '1', allocated: '1' })
  assert.equal(withHeldResources(one), one)
})
