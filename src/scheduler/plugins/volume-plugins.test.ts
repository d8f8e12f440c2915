// Plugins that look at a Pod's volumes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Pod,
  Volume,
} from '../../api/types/core-v1.ts'
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '../../api/types/storage-v1.ts'
import { node, pod, World } from '../testing/scheduling.fixture.ts'
import { AssumedVolumes } from '../volumes/assumed-volumes.ts'
import { planVolumes } from '../volumes/plan-volumes.ts'
import { podClaims } from '../volumes/pod-claims.ts'
import { noVolumes, type VolumeObjects } from '../volumes/volume-objects.ts'

interface Objects {
  claims?: PersistentVolumeClaim[]
  volumes?: PersistentVolume[]
  classes?: StorageClass[]
  csiNodes?: CSINode[]
  drivers?: CSIDriver[]
  capacities?: CSIStorageCapacity[]
  attachments?: VolumeAttachment[]
}

function volumesOf(objects: Objects): VolumeObjects {
  const { claims = [], volumes = [], classes = [], csiNodes = [], drivers = [], capacities = [] } = objects
  const named =
    <T extends { metadata: { name: string } }>(list: T[]) =>
    (name: string) =>
      list.find(({ metadata }) => metadata.name === name)
  return {
    ...noVolumes,
    claim: (namespace, name) =>
      claims.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    volume: named(volumes),
    volumesOfClass: name => volumes.filter(({ spec }) => spec.storageClassName === name),
    storageClass: named(classes),
    csiNode: named(csiNodes),
    csiDriver: named(drivers),
    capacitiesOfClass: name => capacities.filter(({ storageClassName }) => storageClassName === name),
    attachmentsAt: name => (objects.attachments ?? []).filter(({ spec }) => spec.nodeName === name),
  }
}

const claim = (name: string, more: object = {}, annotations: object = {}) =>
  ({
    metadata: { name, namespace: 'default', uid: name, annotations },
    spec: { storageClassName: 'local', resources: { requests: { storage: '1Gi' } }, ...more },
    status: {},
  }) as unknown as PersistentVolumeClaim
const bound = (name: string, volumeName: string, more: object = {}) =>
  claim(name, { volumeName, ...more }, { 'pv.kubernetes.io/bind-completed': 'yes' })
const on = (...names: string[]) => ({
  required: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] },
    ],
  },
})
const volume = (name: string, spec: Partial<PersistentVolumeSpec> = {}, labels: object = {}) =>
  ({
    metadata: { name, uid: name, labels },
    spec: { storageClassName: 'local', capacity: { storage: '5Gi' }, ...spec },
    status: { phase: 'Available' },
  }) as unknown as PersistentVolume
const storageClass = (more: object = {}) =>
  ({
    metadata: { name: 'local' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
    ...more,
  }) as unknown as StorageClass
const using = (...names: string[]): Pod =>
  pod('p', {
    spec: {
      volumes: names.map(name => ({ name, persistentVolumeClaim: { claimName: name } })) as Volume[],
    },
  })

const NONE = '0/2 nodes are available: '
const NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
const local = { classes: [storageClass()] }

const provisioned = (...capacities: object[]): Objects => ({
  claims: [claim('c')],
  classes: [storageClass({ provisioner: 'd.io' })],
  drivers: [{ metadata: { name: 'd.io' }, spec: { storageCapacity: true } } as CSIDriver],
  capacities: capacities.map(
    more => ({ storageClassName: 'local', ...more }) as unknown as CSIStorageCapacity,
  ),
})
const roomAt = (name: string, more: object) => ({
  nodeTopology: { matchLabels: { 'kubernetes.io/hostname': name } },
  ...more,
})
const NO_ROOM = `${NONE}2 node(s) did not have enough free storage.`

const cases: Record<string, [Objects, Pod, string]> = {
  'a claim that does not exist': [{}, using('c'), `${NONE}persistentvolumeclaim "c" not found.`],
  'a claim that is made for the Pod and is not there yet': [
    {},
    pod('p', { spec: { volumes: [{ name: 'v', ephemeral: {} }] as Volume[] } }),
    `${NONE}waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v".`,
  ],
  'a claim that should be bound by now': [
    { claims: [claim('c')], classes: [storageClass({ volumeBindingMode: 'Immediate' })] },
    using('c'),
    `${NONE}pod has unbound immediate PersistentVolumeClaims.`,
  ],
  'a claim that lost its volume': [
    { claims: [{ ...bound('c', 'v'), status: { phase: 'Lost' } } as PersistentVolumeClaim] },
    using('c'),
    `${NONE}persistentvolumeclaim "c" bound to non-existent persistentvolume "v".`,
  ],
  'a bound claim whose volume is gone': [
    { claims: [bound('c', 'v')] },
    using('c'),
    `${NONE}2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).`,
  ],
  'a volume of one node': [
    { claims: [bound('c', 'v')], volumes: [volume('v', { nodeAffinity: on('b') } as object)] },
    using('c'),
    'b',
  ],
  'a volume of no node': [
    { claims: [bound('c', 'v')], volumes: [volume('v', { nodeAffinity: on('x') } as object)] },
    using('c'),
    `${NONE}2 node(s) didn't match PersistentVolume's node affinity.`,
  ],
  'a waiting claim, and a volume that would do': [
    { ...local, claims: [claim('c')], volumes: [volume('v', { nodeAffinity: on('b') } as object)] },
    using('c'),
    'b',
  ],
  'a waiting claim, and a volume that is too small': [
    { ...local, claims: [claim('c')], volumes: [volume('v', { capacity: { storage: '1Mi' } })] },
    using('c'),
    `${NONE}2 ${NO_VOLUME}.`,
  ],
  'a waiting claim, and a volume of somebody else': [
    { ...local, claims: [claim('c')], volumes: [volume('v', { claimRef: { name: 'other' } } as object)] },
    using('c'),
    `${NONE}2 ${NO_VOLUME}.`,
  ],
  'a waiting claim that a provisioner will serve where the class allows it': [
    {
      claims: [claim('c')],
      classes: [
        storageClass({
          provisioner: 'example.com/p',
          allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['b'] }] }],
        }),
      ],
    },
    using('c'),
    'b',
  ],
  'a driver that has enough left at one node': [
    provisioned(roomAt('a', { capacity: '1Mi' }), roomAt('b', { capacity: '1Gi' })),
    using('c'),
    'b',
  ],
  'a driver that has enough left, and makes no volume as large': [
    provisioned(roomAt('b', { capacity: '9Gi', maximumVolumeSize: '500Mi' })),
    using('c'),
    NO_ROOM,
  ],
  'a driver that has something left nowhere': [provisioned({ capacity: '9Gi' }), using('c'), NO_ROOM],
  'a driver that has not said what it has left': [provisioned(), using('c'), NO_ROOM],
  'a claim that one Pod only may use': [
    { claims: [bound('c', 'v', { accessModes: ['ReadWriteOncePod'] })], volumes: [volume('v')] },
    using('c'),
    `${NONE}2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.`,
  ],
}
for (const [what, [objects, candidate, expected]] of Object.entries(cases)) {
  test(what, () => {
    const world = new World([node('a'), node('b')], { volumes: volumesOf(objects) })
    if (what.includes('one Pod only'))
      world.with('a', { ...using('c'), metadata: { ...using('c').metadata, uid: 'o' } })
    assert.equal(world.place(candidate), expected)
  })
}

test('volume and node have to be of the same zone where the node is of one', () => {
  const ZONE = 'topology.kubernetes.io/zone'
  const volumes = volumesOf({ claims: [bound('c', 'v')], volumes: [volume('v', {}, { [ZONE]: 'a__b' })] })
  const nodes = ['a', 'b', 'c'].map(zone => node(zone, { labels: { [ZONE]: zone } }))
  assert.deepEqual(new World([...nodes, node('unzoned')], { volumes }).fitting(using('c')), [
    'a',
    'b',
    'unzoned',
  ])
  assert.equal(
    new World([nodes[2]!], { volumes }).place(using('c')),
    '0/1 nodes are available: 1 node(s) had no available volume zone.',
  )
})

test('a driver attaches only as many volumes to a node as it says', () => {
  const csi = (handle: string) => ({ csi: { driver: 'd', volumeHandle: handle } })
  const names = ['one', 'two', 'three']
  const csiNodes = [
    { metadata: { name: 'n' }, spec: { drivers: [{ name: 'd', nodeID: 'n', allocatable: { count: 2 } }] } },
  ] as unknown as CSINode[]
  const volumes = volumesOf({
    csiNodes,
    claims: names.map(name => bound(name, name)),
    volumes: names.map(name => volume(name, csi(name) as object)),
  })
  const world = new World([node('n')], { volumes }).with('n', using('one'), pod('x'))
  assert.equal(world.place(using('one', 'two')), 'n')
  assert.equal(
    world.place(using('two', 'three')),
    '0/1 nodes are available: 1 node(s) exceed max volume count.',
  )
})

test('what is still attached takes its place, and may be used again', () => {
  const csi = (handle: string) => ({ csi: { driver: 'd', volumeHandle: handle } })
  const names = ['one', 'two']
  const csiNodes = [
    { metadata: { name: 'n' }, spec: { drivers: [{ name: 'd', nodeID: 'n', allocatable: { count: 1 } }] } },
  ] as unknown as CSINode[]
  const attachments = [
    { spec: { nodeName: 'n', attacher: 'd', source: { persistentVolumeName: 'one' } } },
  ] as VolumeAttachment[]
  const volumes = volumesOf({
    csiNodes,
    attachments,
    claims: names.map(name => bound(name, name)),
    volumes: names.map(name => volume(name, csi(name) as object)),
  })
  const world = new World([node('n')], { volumes })
  assert.equal(world.place(using('one')), 'n')
  assert.equal(world.place(using('two')), '0/1 nodes are available: 1 node(s) exceed max volume count.')
})

test('a disk that only one may write is not shared', () => {
  const disk = (readOnly: boolean) =>
    pod(String(readOnly), {
      spec: { volumes: [{ name: 'd', gcePersistentDisk: { pdName: 'x', readOnly } }] as Volume[] },
    })
  assert.equal(
    new World([node('n')]).with('n', disk(true)).place(disk(false)),
    '0/1 nodes are available: 1 node(s) had no available disk.',
  )
  assert.equal(new World([node('n')]).with('n', disk(true)).place(disk(true)), 'n')
})

test('claims get the smallest volumes that will do, each its own, and nobody else gets them then', () => {
  const sizes = { small: '1Gi', middle: '3Gi', large: '9Gi' }
  const objects = volumesOf({
    ...local,
    claims: [claim('big', { resources: { requests: { storage: '2Gi' } } }), claim('tiny')],
    volumes: Object.entries(sizes).map(([name, storage]) => volume(name, { capacity: { storage } })),
  })
  const candidate = using('big', 'tiny')
  const assumed = new AssumedVolumes(objects)
  const { plan } = planVolumes(podClaims(candidate, assumed), node('n'), assumed)
  assert.deepEqual(
    plan?.matches.map(match => [match.claim.metadata.name, match.volume.metadata.name]),
    [
      ['tiny', 'small'],
      ['big', 'middle'],
    ],
  )
  const written = assumed.assume(plan!, 'n')
  assert.deepEqual(
    written.volumes.map(({ spec, metadata }) => [metadata.name, spec.claimRef?.name, metadata.annotations]),
    [
      ['small', 'tiny', { 'pv.kubernetes.io/bound-by-controller': 'yes' }],
      ['middle', 'big', { 'pv.kubernetes.io/bound-by-controller': 'yes' }],
    ],
  )
  assert.equal(assumed.volume('small')?.spec.claimRef?.name, 'tiny')
  assert.equal(assumed.volumesOfClass('local').filter(({ spec }) => !spec.claimRef).length, 1)
  assumed.forget(written)
  assert.equal(assumed.volume('small')?.spec.claimRef, undefined)
})
