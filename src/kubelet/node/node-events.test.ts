import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeStatus } from '../../api/types/core-v1.ts'
import { nodeEvents } from './node-events.ts'

const status = (bootID: string, conditions: Record<string, string>) =>
  ({
    nodeInfo: { bootID },
    conditions: Object.entries(conditions).map(([type, is]) => ({ type, status: is })),
  }) as unknown as NodeStatus
const fine = { MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False', Ready: 'True' }
const brief = (before: NodeStatus | undefined, after: NodeStatus) =>
  nodeEvents('n', before, after).map(({ type, reason, message }) => `${type} ${reason}: ${message}`)

test('a new node tells all its conditions', () =>
  assert.deepEqual(brief(undefined, status('a', fine)), [
    'Normal NodeHasSufficientMemory: Node n status is now: NodeHasSufficientMemory',
    'Normal NodeHasNoDiskPressure: Node n status is now: NodeHasNoDiskPressure',
    'Normal NodeHasSufficientPID: Node n status is now: NodeHasSufficientPID',
    'Normal NodeReady: Node n status is now: NodeReady',
  ]))

test('after that, only what changes', () => {
  assert.deepEqual(brief(status('a', fine), status('a', fine)), [])
  const pressed = { MemoryPressure: 'True', DiskPressure: 'True', PIDPressure: 'True', Ready: 'False' }
  assert.deepEqual(
    nodeEvents('n', status('a', fine), status('a', pressed)).map(({ reason }) => reason),
    ['NodeHasInsufficientMemory', 'NodeHasDiskPressure', 'NodeHasInsufficientPID', 'NodeNotReady'],
  )
})

test('another boot is a warning', () =>
  assert.deepEqual(brief(status('a', fine), status('b', fine)), [
    'Warning Rebooted: Node n has been rebooted, boot id: b',
  ]))
