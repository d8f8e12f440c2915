// A kubelet with a CSI driver: in which order volumes are staged and published, what the driver is told, and how all of
// it is taken back, after a restart too. The test is the controller that attaches.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import type { Draft } from '../../../api/kube-object.ts'
import {
  csiDrivers,
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  serviceAccounts,
  volumeAttachments,
} from '../../../api/resources.ts'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  ServiceAccount,
  Volume,
} from '../../../api/types/core-v1.ts'
import type { CSIDriver, CSIDriverSpec, VolumeAttachment } from '../../../api/types/storage-v1.ts'
import { attachmentName, sha256, uniqueVolumeName } from '../../../api/volume/csi-names.ts'
import { GrpcError } from '../../../base/grpc/grpc-error.ts'
import { container, KubeletWorld } from '../../testing/kubelet-world.fixture.ts'
import { FolderDriver, type FolderDriverOptions } from './testing/folder-driver.fixture.ts'

const NAME = 'folders.csi.test'
const UNIQUE = uniqueVolumeName(NAME, 'vol-1')
const MERGE = 'application/merge-patch+json'
const USES = { containers: [container('app', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })] }
const CLAIM: Volume = { name: 'v', persistentVolumeClaim: { claimName: 'c' } }

class CsiWorld {
  readonly kubelet: KubeletWorld
  readonly driver: FolderDriver
  readonly #folder: string

  private constructor(kubelet: KubeletWorld, driver: FolderDriver, folder: string) {
    this.kubelet = kubelet
    this.driver = driver
    this.#folder = folder
  }

  /** `object`: the driver's CSIDriver. */
  static async create(object?: CSIDriverSpec, options: Partial<FolderDriverOptions> = {}): Promise<CsiWorld> {
    const mounter = { tmpfs() {}, hugetlbfs() {}, bind() {}, device() {}, unmount() {} }
    const kubelet = await KubeletWorld.create({ mounter })
    const folder = mkdtempSync(join(tmpdir(), 'csi-test-'))
    const rootDir = join(kubelet.dir, 'kubelet')
    const driver = new FolderDriver({ name: NAME, rootDir, folder, ...options })
    const world = new CsiWorld(kubelet, driver, folder)
    if (object) {
      const draft = { metadata: { name: NAME }, spec: object } as unknown as Draft<CSIDriver>
      await kubelet.client.create(csiDrivers, draft)
    }
    await kubelet.untilTrue('there is a folder to register in', () =>
      existsSync(join(rootDir, 'plugins_registry')),
    )
    await driver.start()
    await world.registered()
    return world
  }

  get client() {
    return this.kubelet.client
  }

  get rootDir(): string {
    return join(this.kubelet.dir, 'kubelet')
  }

  async registered(): Promise<void> {
    await this.kubelet.untilTrue('the driver is registered', async () => {
      const found = await this.client.get(csiNodes, { name: 'node-1' }).catch(() => undefined)
      return found?.spec.drivers.some(({ name }) => name === NAME) ?? false
    })
  }

  /** A claim 'c' that is bound to the volume 'pv'. */
  async createVolume(csi: object = {}, spec: Partial<PersistentVolume['spec']> = {}): Promise<void> {
    const resources = { requests: { storage: '1Gi' } }
    const accessModes = spec.accessModes ?? ['ReadWriteOnce']
    const claim = await this.client.create(persistentVolumeClaims, {
      metadata: { name: 'c', namespace: 'default' },
      spec: { volumeName: 'pv', accessModes, resources, volumeMode: spec.volumeMode ?? 'Filesystem' },
    } as unknown as Draft<PersistentVolumeClaim>)
    const { uid } = claim.metadata
    await this.client.create(persistentVolumes, {
      metadata: { name: 'pv' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes,
        claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'c', uid },
        csi: { driver: NAME, volumeHandle: 'vol-1', ...csi },
        ...spec,
      },
    } as unknown as Draft<PersistentVolume>)
    await this.setClaim({ phase: 'Bound', capacity: { storage: '1Gi' } })
  }

  async setClaim(status: object): Promise<void> {
    const key = { name: 'c', namespace: 'default' }
    await this.client.patch(persistentVolumeClaims, key, MERGE, { status }, { subresource: 'status' })
  }

  async attach(): Promise<void> {
    const name = attachmentName('vol-1', NAME, 'node-1')
    const draft = {
      metadata: { name },
      spec: { attacher: NAME, nodeName: 'node-1', source: { persistentVolumeName: 'pv' } },
    }
    await this.client.create(volumeAttachments, draft as Draft<VolumeAttachment>)
    const attached = { status: { attached: true, attachmentMetadata: { slot: '7' } } }
    const STATUS = { subresource: 'status' }
    await this.client.patch(volumeAttachments, { name }, MERGE, attached, STATUS)
    const volumesAttached = [{ name: UNIQUE, devicePath: '' }]
    await this.client.patch(nodes, { name: 'node-1' }, MERGE, { status: { volumesAttached } }, STATUS)
  }

  async inUse(): Promise<readonly string[]> {
    return (await this.client.get(nodes, { name: 'node-1' })).status.volumesInUse ?? []
  }

  async runPod(name: string, volume: Volume, spec: Partial<Pod['spec']> = {}): Promise<Pod> {
    await this.kubelet.createPod(name, { ...USES, volumes: [volume], ...spec })
    return this.running(name)
  }

  running(name: string): Promise<Pod> {
    return this.kubelet.until(name, ({ status }) => status.phase === 'Running')
  }

  async deletePod(name: string): Promise<void> {
    await this.client.delete(pods, { name, namespace: 'default' }, { gracePeriodSeconds: 1 })
    await this.kubelet.untilTrue(`${name} is gone`, async () => {
      await this.kubelet.clock.advance(100)
      return (await this.kubelet.pod(name).catch(() => undefined)) === undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kubelet.close()
    this.driver.stop()
    rmSync(this.#folder, { recursive: true })
  }
}

const NO_ATTACH: CSIDriverSpec = { attachRequired: false }

test('a driver that registers is in the CSINode and on the node, and off them when it goes', async () => {
  const topology = { segments: { 'test/zone': 'z1', 'test/rack': 'r1' } }
  const node = { nodeId: 'id-1', maxVolumesPerNode: 12, accessibleTopology: topology }
  await using world = await CsiWorld.create(NO_ATTACH, { node })
  const { spec, metadata } = await world.client.get(csiNodes, { name: 'node-1' })
  const topologyKeys = ['test/rack', 'test/zone']
  assert.deepEqual(spec.drivers, [{ name: NAME, nodeID: 'id-1', topologyKeys, allocatable: { count: 12 } }])
  assert.equal(metadata.ownerReferences?.[0]?.name, 'node-1')
  const shown = (await world.client.get(nodes, { name: 'node-1' })).metadata
  assert.equal(shown.annotations?.['csi.volume.kubernetes.io/nodeid'], `{"${NAME}":"id-1"}`)
  assert.equal(shown.labels?.['test/zone'], 'z1')
  world.driver.stop()
  await world.kubelet.untilTrue('the driver is gone', async () => {
    const { annotations } = (await world.client.get(nodes, { name: 'node-1' })).metadata
    return annotations?.['csi.volume.kubernetes.io/nodeid'] === undefined
  })
  assert.deepEqual((await world.client.get(csiNodes, { name: 'node-1' })).spec.drivers, [])
})

test('a driver is asked again how many volumes it can attach', async () => {
  const info = { maxVolumesPerNode: 9 }
  const spec = { attachRequired: false, nodeAllocatableUpdatePeriodSeconds: 30 }
  await using world = await CsiWorld.create(spec, { node: info })
  info.maxVolumesPerNode = 5
  await world.kubelet.untilTrue('the CSINode shows it', async () => {
    await world.kubelet.clock.advance(3_000)
    const [driver] = (await world.client.get(csiNodes, { name: 'node-1' })).spec.drivers
    return driver?.allocatable?.count === 5
  })
})

test('a volume is staged and published when it is attached, and taken down with its last Pod', async () => {
  await using world = await CsiWorld.create()
  await world.createVolume({ volumeAttributes: { colour: 'red' }, fsType: 'ext4' })
  await world.kubelet.createPod('one', { ...USES, volumes: [CLAIM] })
  await world.kubelet.untilTrue('the node says that it uses it', async () => (await world.inUse()).length > 0)
  assert.deepEqual(world.driver.calls, [])
  await world.attach()
  const { uid } = (await world.running('one')).metadata
  assert.deepEqual(world.driver.calls, ['NodeStageVolume vol-1', 'NodePublishVolume vol-1'])
  const staging = join(world.rootDir, `plugins/kubernetes.io/csi/${NAME}/${sha256('vol-1')}/globalmount`)
  const dir = join(world.rootDir, `pods/${uid}/volumes/kubernetes.io~csi/pv`)
  const volumeCapability = {
    mount: { fsType: 'ext4', mountFlags: [], volumeMountGroup: '' },
    accessMode: { mode: 'SINGLE_NODE_WRITER' },
  }
  const told = { volumeId: 'vol-1', publishContext: { slot: '7' }, volumeCapability, secrets: {} }
  const context = { stagingTargetPath: staging, volumeContext: { colour: 'red' } }
  assert.deepEqual(world.driver.last.get('NodeStageVolume'), { ...told, ...context })
  const target = { targetPath: join(dir, 'mount'), readonly: false }
  assert.deepEqual(world.driver.last.get('NodePublishVolume'), { ...told, ...context, ...target })
  assert.deepEqual(JSON.parse(readFileSync(join(dir, 'vol_data.json'), 'utf8')), {
    attachmentID: attachmentName('vol-1', NAME, 'node-1'),
    driverName: NAME,
    nodeName: 'node-1',
    specVolID: 'pv',
    volumeHandle: 'vol-1',
    volumeLifecycleMode: 'Persistent',
  })
  await world.runPod('two', CLAIM)
  await world.deletePod('one')
  assert.deepEqual(world.driver.calls.slice(2), ['NodePublishVolume vol-1', 'NodeUnpublishVolume vol-1'])
  assert.deepEqual(await world.inUse(), [UNIQUE])
  await world.deletePod('two')
  assert.deepEqual(world.driver.calls.slice(4), ['NodeUnpublishVolume vol-1', 'NodeUnstageVolume vol-1'])
  assert.deepEqual(await world.inUse(), [])
  assert.equal(existsSync(staging), false)
})

test('a Pod waits for its driver, and is told so', async () => {
  await using world = await CsiWorld.create(NO_ATTACH)
  world.driver.stop()
  await world.kubelet.untilTrue('the driver is gone', async () => {
    return (await world.client.get(csiNodes, { name: 'node-1' })).spec.drivers.length === 0
  })
  await world.createVolume()
  await world.kubelet.createPod('p', { ...USES, volumes: [CLAIM] })
  const text = `FailedMount: MountVolume.MountDevice failed for volume "pv" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ${NAME} not found in the list of registered CSI drivers`
  await world.kubelet.untilTrue('it is told', async () => (await world.kubelet.eventsOf('p')).includes(text))
  await world.driver.start()
  await world.running('p')
})

test('a Pod whose driver is away keeps its volume until the driver is back', async () => {
  await using world = await CsiWorld.create(NO_ATTACH)
  await world.createVolume()
  const { uid } = (await world.runPod('p', CLAIM)).metadata
  world.driver.stop()
  await world.kubelet.untilTrue('the driver is gone', async () => {
    return (await world.client.get(csiNodes, { name: 'node-1' })).spec.drivers.length === 0
  })
  await world.client.delete(pods, { name: 'p', namespace: 'default' }, { gracePeriodSeconds: 1 })
  for (let turn = 0; turn < 100; turn++) {
    await world.kubelet.clock.advance(200)
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal((await world.kubelet.pod('p')).metadata.uid, uid)
  assert.ok(existsSync(join(world.rootDir, `pods/${uid}/volumes/kubernetes.io~csi/pv/vol_data.json`)))
  await world.driver.start()
  await world.registered()
  await world.kubelet.untilTrue('it is gone', async () => {
    await world.kubelet.clock.advance(200)
    return (await world.kubelet.pod('p').catch(() => undefined)) === undefined
  })
  assert.deepEqual(world.driver.calls.slice(-2), ['NodeUnpublishVolume vol-1', 'NodeUnstageVolume vol-1'])
})

test('what the driver refuses is told in its words, and nothing of it stays', async () => {
  await using world = await CsiWorld.create(NO_ATTACH)
  world.driver.refusals.set('NodePublishVolume', new GrpcError(status.INTERNAL, 'no such thing'))
  await world.createVolume()
  const { metadata } = await world.kubelet.createPod('p', { ...USES, volumes: [CLAIM] })
  const text =
    'FailedMount: MountVolume.SetUp failed for volume "pv" : rpc error: code = Internal desc = no such thing'
  await world.kubelet.untilTrue('it is told', async () => (await world.kubelet.eventsOf('p')).includes(text))
  const dir = join(world.rootDir, `pods/${metadata.uid}/volumes/kubernetes.io~csi`)
  assert.equal(existsSync(join(dir, 'pv')), false)
  await world.deletePod('p')
  assert.equal(world.driver.calls.at(-1), 'NodeUnstageVolume vol-1')
  assert.equal(world.driver.calls.includes('NodeUnpublishVolume vol-1'), false)
})

test('the Pod, its tokens and secrets are told to drivers that want to know', async () => {
  await using world = await CsiWorld.create({
    attachRequired: false,
    podInfoOnMount: true,
    tokenRequests: [{ audience: 'vault' }],
  })
  const secret = { metadata: { name: 's', namespace: 'default' }, data: { key: 'c2VjcmV0' } }
  await world.client.create(secrets, secret as unknown as Draft<Secret>)
  const account = { metadata: { name: 'robot', namespace: 'default' } }
  await world.client.create(serviceAccounts, account as unknown as Draft<ServiceAccount>)
  const reference = { nodePublishSecretRef: { name: 's', namespace: 'default' } }
  await world.createVolume({ ...reference, volumeAttributes: { a: 'b' } })
  const { metadata } = await world.runPod('p', CLAIM, { serviceAccountName: 'robot' })
  const { secrets: told, volumeContext } = world.driver.last.get('NodePublishVolume')!
  assert.deepEqual(told, { key: 'secret' })
  const token = { token: 'token-for-p', expirationTimestamp: '2026-01-01T01:00:00Z' }
  assert.deepEqual(volumeContext, {
    a: 'b',
    'csi.storage.k8s.io/pod.name': 'p',
    'csi.storage.k8s.io/pod.namespace': 'default',
    'csi.storage.k8s.io/pod.uid': metadata.uid,
    'csi.storage.k8s.io/serviceAccount.name': 'robot',
    'csi.storage.k8s.io/ephemeral': 'false',
    'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify({ vault: token }),
  })
  assert.deepEqual(world.driver.last.get('NodeStageVolume')!.volumeContext, { a: 'b' })
})

test('a volume of the Pod itself is published without a step for the node', async () => {
  await using world = await CsiWorld.create({ attachRequired: false, volumeLifecycleModes: ['Ephemeral'] })
  const volume: Volume = { name: 'v', csi: { driver: NAME, volumeAttributes: { size: '1' }, readOnly: true } }
  const { metadata } = await world.runPod('p', volume)
  const handle = `csi-${sha256(`${metadata.uid}v`)}`
  const asked = world.driver.last.get('NodePublishVolume')!
  assert.deepEqual([asked.volumeId, asked.readonly, asked.stagingTargetPath], [handle, true, ''])
  assert.deepEqual(asked.volumeContext, { size: '1' })
  await world.deletePod('p')
  assert.deepEqual(world.driver.calls, [`NodePublishVolume ${handle}`, `NodeUnpublishVolume ${handle}`])
})

test('a driver for persistent volumes only gets no volume of a Pod', async () => {
  await using world = await CsiWorld.create(NO_ATTACH)
  await world.kubelet.createPod('p', { ...USES, volumes: [{ name: 'v', csi: { driver: NAME } }] })
  const text = `FailedMount: MountVolume.NewMounter initialization failed for volume "v" : volume mode "Ephemeral" not supported by driver ${NAME} (only supports ["Persistent"])`
  await world.kubelet.untilTrue('it is told', async () => (await world.kubelet.eventsOf('p')).includes(text))
})

test('a kubelet that starts anew takes down what Pods had that are gone', async () => {
  await using world = await CsiWorld.create(NO_ATTACH)
  await world.createVolume()
  const { uid } = (await world.runPod('p', CLAIM)).metadata
  await world.kubelet.stopKubelet()
  await world.client.delete(pods, { name: 'p', namespace: 'default' }, { gracePeriodSeconds: 0 })
  world.driver.calls.length = 0
  world.kubelet.startKubelet({
    mounter: { tmpfs() {}, hugetlbfs() {}, bind() {}, device() {}, unmount() {} },
  })
  await world.kubelet.untilTrue('all is unstaged', async () => {
    await world.kubelet.clock.advance(200)
    return world.driver.calls.includes('NodeUnstageVolume vol-1')
  })
  assert.deepEqual(world.driver.calls, ['NodeUnpublishVolume vol-1', 'NodeUnstageVolume vol-1'])
  const dir = join(world.rootDir, 'pods', uid)
  await world.kubelet.untilTrue('its folder is gone', () => !existsSync(dir))
})

test('a driver whose tokens run out has its volumes published again', async () => {
  await using world = await CsiWorld.create({ attachRequired: false, requiresRepublish: true })
  await world.createVolume()
  await world.runPod('p', CLAIM)
  assert.equal(world.driver.calls.length, 2)
  await world.kubelet.untilTrue('it is published again', async () => {
    await world.kubelet.clock.advance(5_000)
    return world.driver.calls.length > 2
  })
  assert.equal(world.driver.calls[2], 'NodePublishVolume vol-1')
})

test('a volume that has grown is grown on the node', async () => {
  await using world = await CsiWorld.create(NO_ATTACH)
  await world.createVolume()
  const { uid } = (await world.runPod('p', CLAIM)).metadata
  const capacity = { capacity: { storage: '2Gi' } }
  await world.client.patch(persistentVolumes, { name: 'pv' }, MERGE, { spec: capacity })
  await world.setClaim({ allocatedResourceStatuses: { storage: 'NodeResizePending' } })
  const claim = () => world.client.get(persistentVolumeClaims, { name: 'c', namespace: 'default' })
  await world.kubelet.untilTrue('the claim shows it', async () => {
    await world.kubelet.clock.advance(5_000)
    return (await claim()).status.capacity?.storage === '2Gi'
  })
  const asked = world.driver.last.get('NodeExpandVolume')!
  assert.equal(asked.volumePath, join(world.rootDir, `pods/${uid}/volumes/kubernetes.io~csi/pv/mount`))
  assert.deepEqual(asked.capacityRange, { requiredBytes: 2 * 2 ** 30, limitBytes: 0 })
  assert.equal((await claim()).status.allocatedResourceStatuses, undefined)
})

test('a block volume is a device for the container, and goes as it came', async () => {
  await using world = await CsiWorld.create(NO_ATTACH)
  await world.createVolume({}, { volumeMode: 'Block' })
  const containers = [container('app', { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] })]
  const { uid } = (await world.runPod('p', CLAIM, { containers })).metadata
  const blocks = join(world.rootDir, 'plugins/kubernetes.io/csi/volumeDevices')
  const asked = world.driver.last.get('NodePublishVolume')!
  assert.equal(asked.targetPath, join(blocks, 'publish/pv', uid))
  assert.equal(asked.stagingTargetPath, join(blocks, 'staging/pv'))
  assert.deepEqual(asked.volumeCapability, { block: {}, accessMode: { mode: 'SINGLE_NODE_WRITER' } })
  await world.deletePod('p')
  assert.deepEqual(world.driver.calls.slice(2), ['NodeUnpublishVolume vol-1', 'NodeUnstageVolume vol-1'])
  for (const left of ['publish/pv', 'staging/pv', 'pv']) assert.equal(existsSync(join(blocks, left)), false)
})
