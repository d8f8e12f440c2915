import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume } from '../../../api/types/core-v1.ts'
import type { CSIDriver, CSIDriverSpec } from '../../../api/types/storage-v1.ts'
import type { NodeRpc } from './csi-api.ts'
import { highestVersion } from './csi-drivers.ts'
import {
  type CsiVolume,
  capabilityOf,
  isAttachable,
  isGroupGiven,
  lifecycleProblem,
  persistentCsiVolume,
} from './csi-volume.ts'

const volume = (more: Partial<CsiVolume> = {}): CsiVolume => ({
  ...persistentCsiVolume(
    { metadata: { name: 'pv' }, spec: { csi: { driver: 'd', volumeHandle: 'h' } } } as PersistentVolume,
    false,
  ),
  ...more,
})
const object = (spec: CSIDriverSpec) => ({ spec }) as CSIDriver
const able = (...abilities: NodeRpc[]) => new Set(abilities)

const modes: [string[], NodeRpc[], string][] = [
  [[], [], 'SINGLE_NODE_WRITER'],
  [['ReadWriteOnce'], ['SINGLE_NODE_MULTI_WRITER'], 'SINGLE_NODE_MULTI_WRITER'],
  [['ReadWriteOncePod'], [], 'SINGLE_NODE_WRITER'],
  [['ReadWriteOncePod'], ['SINGLE_NODE_MULTI_WRITER'], 'SINGLE_NODE_SINGLE_WRITER'],
  [['ReadOnlyMany', 'ReadWriteOnce'], [], 'MULTI_NODE_READER_ONLY'],
  [['ReadWriteMany'], ['SINGLE_NODE_MULTI_WRITER'], 'MULTI_NODE_MULTI_WRITER'],
]
for (const [accessModes, abilities, expected] of modes)
  test(`volumes of access ${accessModes} are told as ${expected} to drivers with ${abilities.length} more abilities`, () =>
    assert.equal(
      capabilityOf(volume({ accessModes }), able(...abilities), undefined).accessMode.mode,
      expected,
    ))

test('the group is told to drivers that mount with one, and to nobody else', () => {
  const groupOf = (...abilities: NodeRpc[]) =>
    capabilityOf(volume(), able(...abilities), 7).mount?.volumeMountGroup
  assert.equal(groupOf('VOLUME_MOUNT_GROUP'), '7')
  assert.equal(groupOf(), '')
})

const WITH_TYPE = { fsType: 'ext4', accessModes: ['ReadWriteOnce'] }
const groups: Record<string, [Partial<CsiVolume>, CSIDriverSpec | undefined, NodeRpc[], boolean]> = {
  'a file system for one node': [WITH_TYPE, undefined, [], true],
  'a file system of no known type': [{ accessModes: ['ReadWriteOnce'] }, undefined, [], false],
  'a file system for many': [{ fsType: 'nfs', accessModes: ['ReadWriteMany'] }, undefined, [], false],
  'any, when the driver says so': [{ accessModes: ['ReadWriteMany'] }, { fsGroupPolicy: 'File' }, [], true],
  'none, when the driver says so': [WITH_TYPE, { fsGroupPolicy: 'None' }, [], false],
  'what is read-only': [{ ...WITH_TYPE, readOnly: true }, { fsGroupPolicy: 'File' }, [], false],
  'what the driver has mounted with it': [
    WITH_TYPE,
    { fsGroupPolicy: 'File' },
    ['VOLUME_MOUNT_GROUP'],
    false,
  ],
}
for (const [title, [more, spec, abilities, expected]] of Object.entries(groups))
  test(`files are given to the group: ${title}`, () =>
    assert.equal(isGroupGiven(volume(more), spec && object(spec), able(...abilities)), expected))

test('without a CSIDriver volumes are attached, and none is a Pod’s own', () => {
  assert.equal(isAttachable(volume(), undefined), true)
  assert.equal(isAttachable(volume(), object({ attachRequired: false })), false)
  assert.equal(isAttachable(volume({ lifecycle: 'Ephemeral' }), object({})), false)
  assert.equal(lifecycleProblem(volume(), undefined), undefined)
  assert.equal(
    lifecycleProblem(volume({ lifecycle: 'Ephemeral' }), undefined),
    'volume mode "Ephemeral" not supported by driver d (no CSIDriver object)',
  )
  assert.equal(
    lifecycleProblem(volume(), object({ volumeLifecycleModes: ['Ephemeral'] })),
    'volume mode "Persistent" not supported by driver d (only supports ["Ephemeral"])',
  )
})

test('of the versions that a driver has the highest of 1.x counts', () => {
  assert.deepEqual(highestVersion(['0.3.0', '1.2.0', '1.10.0', '2.0.0', 'x']), [1, 10, 0])
  assert.throws(() => highestVersion(['0.3.0']), {
    message: 'highest supported version reported by driver is 0.3.0, must be v1.x',
  })
  assert.throws(() => highestVersion(['2.0.0']), /could not find a highest supported version/)
})
