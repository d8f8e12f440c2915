import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../../api/types/core-v1.ts'
import { driversWith, NODE_ID, nodeWithDriver, nodeWithoutDriver } from './node-info.ts'

const node = (annotation?: string, labels: Record<string, string> = {}) =>
  ({ metadata: { name: 'n', labels, ...(annotation && { annotations: { [NODE_ID]: annotation } }) } }) as Node
const at = (zone: string) => ({
  nodeId: 'id',
  maxVolumesPerNode: 0,
  accessibleTopology: { segments: { zone } },
})

test('a driver is added to those that are there, and taken from them', () => {
  assert.deepEqual(nodeWithDriver(node('{"b":"2"}'), 'a', at('z')), {
    metadata: { annotations: { [NODE_ID]: '{"a":"id","b":"2"}' }, labels: { zone: 'z' } },
  })
  assert.equal(nodeWithDriver(node('{"a":"id"}', { zone: 'z' }), 'a', at('z')), undefined)
  assert.deepEqual(nodeWithoutDriver(node('{"a":"id","b":"2"}'), 'a'), {
    metadata: { annotations: { [NODE_ID]: '{"b":"2"}' } },
  })
  assert.deepEqual(nodeWithoutDriver(node('{"a":"id"}'), 'a'), {
    metadata: { annotations: { [NODE_ID]: null } },
  })
  assert.equal(nodeWithoutDriver(node(), 'a'), undefined)
})

test('two drivers that see the node in different places do not both get it', () => {
  assert.throws(() => nodeWithDriver(node(undefined, { zone: 'y' }), 'a', at('z')), {
    message: 'detected topology value collision: driver reported "zone":"z" but existing label is "zone":"y"',
  })
})

test('an entry in the CSINode says how many volumes go, when the driver says it', () => {
  const other = { name: 'b', nodeID: '2', topologyKeys: [] }
  const info = { ...at('z'), maxVolumesPerNode: 2 ** 40 }
  assert.deepEqual(driversWith([{ name: 'a', nodeID: 'old', topologyKeys: [] }, other], 'a', info), [
    other,
    { name: 'a', nodeID: 'id', topologyKeys: ['zone'], allocatable: { count: 2 ** 31 - 1 } },
  ])
  assert.deepEqual(driversWith([], 'a', at('z')), [{ name: 'a', nodeID: 'id', topologyKeys: ['zone'] }])
})
