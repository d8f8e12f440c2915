import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import { meta } from '../testing/workload-objects.fixture.ts'
import { decideExpansion, type ExpansionStep, growingStatus, pendingStatus } from './decide-expansion.ts'

type Status = PersistentVolumeClaim['status']

const claim = (wanted: string, status: Status): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta('data'),
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: wanted } }, volumeName: 'v' },
  status: { phase: 'Bound', capacity: { storage: '1Gi' }, ...status },
})

const volume = (storage: string): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: meta('v'),
  spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], local: { path: '/v' } },
  status: { phase: 'Bound' },
})

const cases: Record<string, [PersistentVolumeClaim, PersistentVolume, ExpansionStep]> = {
  'one that has what it asks for needs nothing': [claim('1Gi', {}), volume('1Gi'), { do: 'nothing' }],
  'one that is not bound waits for its volume': [
    claim('2Gi', { phase: 'Pending' }),
    volume('1Gi'),
    { do: 'nothing' },
  ],
  'a volume that is too small grows': [claim('2048Mi', {}), volume('1Gi'), { do: 'grow', size: '2Gi' }],
  'it grows again when more is asked for before the node has noticed': [
    claim('3Gi', { allocatedResourceStatuses: { storage: 'NodeResizePending' } }),
    volume('2Gi'),
    { do: 'grow', size: '3Gi' },
  ],
  'a volume that has grown is left to the node': [
    claim('2Gi', { allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' } }),
    volume('2Gi'),
    { do: 'handToNode' },
  ],
  'the node is told once': [
    claim('2Gi', { allocatedResourceStatuses: { storage: 'NodeResizePending' } }),
    volume('2Gi'),
    { do: 'nothing' },
  ],
}

for (const [title, [wanted, has, expected]] of Object.entries(cases)) {
  test(`claims that grow: ${title}`, () => assert.deepEqual(decideExpansion(wanted, has), expected))
}

test('a claim shows how far its growth is, and keeps its other conditions', () => {
  const time = '2026-01-01T00:00:00Z'
  const other = { type: 'Other', status: 'True' as const }
  const growing = claim('2Gi', growingStatus(claim('2Gi', { conditions: [other] }), '2Gi', time))
  assert.deepEqual(growing.status, {
    phase: 'Bound',
    capacity: { storage: '1Gi' },
    allocatedResources: { storage: '2Gi' },
    allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' },
    conditions: [other, { type: 'Resizing', status: 'True', lastTransitionTime: time }],
  })
  const pending = pendingStatus(growing, time)
  assert.deepEqual(pending.allocatedResourceStatuses, { storage: 'NodeResizePending' })
  assert.deepEqual(pending.conditions, [
    other,
    {
      type: 'FileSystemResizePending',
      status: 'True',
      lastTransitionTime: time,
      message: 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.',
    },
  ])
})
