// Claims of the default class from the first wish to the last byte, over the real API server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import {
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods as podResource,
  storageClasses,
} from '../../api/resources.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import { storageObjectInUseProtection } from '../../apiserver/admission/storage-object-in-use-protection.ts'
import { PersistentVolumeController } from '../persistent-volume/persistent-volume-controller.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { templateOf } from '../testing/workload-objects.fixture.ts'
import { runClaimProtection } from '../volume-protection/claim-protection-controller.ts'
import { runVolumeProtection } from '../volume-protection/volume-protection-controller.ts'
import { LocalPathProvisioner } from './local-path-provisioner.ts'
import { localPathClass } from './local-volume.ts'

const KEY = { name: 'data', namespace: 'default' }

async function start() {
  const world = await ControlWorld.create({ plugins: () => [storageObjectInUseProtection] })
  const { client, clock, log } = world
  const context = { client, clock, log }
  const present = new Set<string>()
  const sizes = new Map<string, number>()
  const directories = {
    async make(name: string) {
      present.add(`/volumes/${name}`)
      return `/volumes/${name}`
    },
    async makeFile(name: string, bytes: number) {
      sizes.set(`/volumes/${name}`, bytes)
      return this.make(name)
    },
    async grow(path: string, bytes: number) {
      sizes.set(path, bytes)
    },
    async remove(path: string) {
      present.delete(path)
    },
  }
  world.start(signal => new PersistentVolumeController(context).run(signal))
  world.start(signal => new LocalPathProvisioner(context, { directories, nodeName: 'node-1' }).run(signal))
  world.start(signal => runClaimProtection(context, signal))
  world.start(signal => runVolumeProtection(context, signal))
  await client.create(storageClasses, structuredClone(localPathClass))
  const labels = { 'kubernetes.io/hostname': 'node-1' }
  await client.create<Node>(nodes, { metadata: { name: 'node-1', labels }, spec: {} } as Draft<Node>)
  return { world, client, present, sizes }
}

const claim = (
  storageClassName: string,
  more: Partial<PersistentVolumeClaim['spec']> = {},
): Draft<PersistentVolumeClaim> => ({
  metadata: KEY,
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName,
    ...more,
  },
})

const user = (nodeName?: string): Draft<Pod> => ({
  metadata: { name: 'user', namespace: 'default' },
  spec: {
    ...structuredClone(templateOf('web:1').spec),
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    ...(nodeName && { nodeName }),
  },
})

test('a volume is made when the first Pod that uses the claim has a node, and both go together', async () => {
  const { world, client, present } = await start()
  await using _ = world
  await client.create(persistentVolumeClaims, claim('local-path'))
  await world.advance(1_000)
  assert.equal((await client.get(persistentVolumeClaims, KEY)).status.phase, 'Pending')
  assert.equal(present.size, 0)
  await client.create(podResource, user('node-1'))
  await world.advance(1_000)
  const bound = await client.get(persistentVolumeClaims, KEY)
  const [volume] = (await client.list(persistentVolumes)).items
  assert.deepEqual(bound.status, {
    phase: 'Bound',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
  })
  assert.equal(bound.spec.volumeName, volume!.metadata.name)
  assert.equal(volume!.status.phase, 'Bound')
  assert.deepEqual([...present], [volume!.spec.local!.path])
  await client.delete(persistentVolumeClaims, KEY)
  await world.advance(1_000)
  assert.equal((await client.get(persistentVolumeClaims, KEY)).status.phase, 'Bound')
  await client.delete(podResource, { name: 'user', namespace: 'default' }, { gracePeriodSeconds: 0 })
  await world.advance(1_000)
  assert.deepEqual(await world.names(persistentVolumeClaims), [])
  assert.deepEqual(await world.names(persistentVolumes), [])
  assert.equal(present.size, 0)
})

test('a claim of mode Block gets a file of its size, which grows with it and waits for the node', async () => {
  const { world, client, present, sizes } = await start()
  await using _ = world
  await client.create(persistentVolumeClaims, claim('local-path', { volumeMode: 'Block' }))
  await client.create(podResource, user('node-1'))
  await world.advance(1_000)
  const [volume] = (await client.list(persistentVolumes)).items
  const { path } = volume!.spec.local!
  assert.deepEqual([volume!.spec.volumeMode, sizes.get(path)], ['Block', 2 ** 30])
  const bound = await client.get(persistentVolumeClaims, KEY)
  const resources = { requests: { storage: '2Gi' } }
  await client.update(persistentVolumeClaims, { ...bound, spec: { ...bound.spec, resources } })
  await world.advance(1_000)
  const { status } = await client.get(persistentVolumeClaims, KEY)
  assert.equal(sizes.get(path), 2 * 2 ** 30)
  const grown = await client.get(persistentVolumes, { name: volume!.metadata.name })
  assert.deepEqual(grown.spec.capacity, { storage: '2Gi' })
  assert.deepEqual(status.capacity, { storage: '1Gi' })
  assert.deepEqual(status.allocatedResourceStatuses, { storage: 'NodeResizePending' })
  assert.deepEqual(
    status.conditions?.map(({ type }) => type),
    ['FileSystemResizePending'],
  )
  await client.delete(persistentVolumeClaims, KEY)
  await client.delete(podResource, { name: 'user', namespace: 'default' }, { gracePeriodSeconds: 0 })
  await world.advance(1_000)
  assert.equal(present.size, 0)
})

const shelf = (name: string, spec: Partial<PersistentVolume['spec']> = {}): Draft<PersistentVolume> => ({
  metadata: { name },
  spec: {
    capacity: { storage: '5Gi' },
    accessModes: ['ReadWriteOnce'],
    hostPath: { path: `/shelf/${name}` },
    persistentVolumeReclaimPolicy: 'Retain',
    ...spec,
  },
})

const phases = async (world: ControlWorld) =>
  Object.fromEntries(
    (await world.client.list(persistentVolumes)).items.map(({ metadata, status }) => [
      metadata.name,
      status.phase,
    ]),
  )

test('a volume that somebody made is bound to the claim that it fits, kept after it, and given to nobody else', async () => {
  const { world, client } = await start()
  await using _ = world
  await client.create(persistentVolumes, shelf('large', { capacity: { storage: '50Gi' } }))
  await client.create(persistentVolumes, shelf('fits'))
  await world.advance(1_000)
  assert.deepEqual(await phases(world), { fits: 'Available', large: 'Available' })
  await client.create(persistentVolumeClaims, claim(''))
  await world.advance(1_000)
  assert.deepEqual(await phases(world), { fits: 'Bound', large: 'Available' })
  await client.delete(persistentVolumes, { name: 'fits' })
  await world.advance(1_000)
  assert.deepEqual(await phases(world), { fits: 'Bound', large: 'Available' })
  await client.delete(persistentVolumeClaims, KEY)
  await world.advance(1_000)
  assert.deepEqual(await phases(world), { large: 'Available' })
})

test('a volume that is retained stays released when its claim comes back', async () => {
  const { world, client } = await start()
  await using _ = world
  await client.create(persistentVolumes, shelf('only'))
  await client.create(persistentVolumeClaims, claim(''))
  await world.advance(1_000)
  await client.delete(persistentVolumeClaims, KEY)
  await world.advance(1_000)
  assert.deepEqual(await phases(world), { only: 'Released' })
  await client.create(persistentVolumeClaims, claim(''))
  await world.advance(1_000)
  assert.equal((await client.get(persistentVolumeClaims, KEY)).status.phase, 'Pending')
  assert.deepEqual(await phases(world), { only: 'Released' })
})

test('a binder that knows only the older annotation is served too', async () => {
  const world = await ControlWorld.create()
  await using _ = world
  const { client, clock, log } = world
  const make = async (name: string) => `/volumes/${name}`
  const directories = { make, makeFile: make, grow: async () => {}, remove: async () => {} }
  const provisioner = new LocalPathProvisioner({ client, clock, log }, { directories, nodeName: 'node-1' })
  world.start(signal => provisioner.run(signal))
  await client.create(storageClasses, structuredClone(localPathClass))
  const annotations = {
    'volume.beta.kubernetes.io/storage-provisioner': 'kubernode.io/local-path',
    'volume.kubernetes.io/selected-node': 'node-1',
  }
  await client.create(persistentVolumeClaims, {
    ...claim('local-path'),
    metadata: { ...KEY, annotations },
  })
  await world.advance(1_000)
  const [volume] = (await client.list(persistentVolumes)).items
  assert.equal(volume?.spec.claimRef?.name, 'data')
})
