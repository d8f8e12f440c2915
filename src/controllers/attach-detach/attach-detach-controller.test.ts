// The controller over the real API server; the test is the attacher and the kubelet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import {
  csiDrivers,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '../../api/resources.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import type { CSIDriver, VolumeAttachment } from '../../api/types/storage-v1.ts'
import { attachmentName, MANAGED_ATTACH, uniqueVolumeName } from '../../api/volume/csi-names.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { AttachDetachController } from './attach-detach-controller.ts'

const UNIQUE = uniqueVolumeName('d.io', 'h')
const STATUS = { subresource: 'status' }
const MERGE = 'application/merge-patch+json'

class AttachWorld {
  readonly world: ControlWorld

  private constructor(world: ControlWorld) {
    this.world = world
  }

  static async create(): Promise<AttachWorld> {
    const world = await ControlWorld.create()
    const made = new AttachWorld(world)
    await made.#prepare()
    world.start(signal => new AttachDetachController(world).run(signal))
    await world.advance()
    return made
  }

  async #prepare(): Promise<void> {
    const { client } = this.world
    for (const name of ['a', 'b']) {
      const node = { metadata: { name, annotations: { [MANAGED_ATTACH]: 'true' } }, spec: {}, status: {} }
      await client.create(nodes, node as unknown as Draft<Node>)
      await this.setNode(name, { conditions: [{ type: 'Ready', status: 'True' }] })
    }
    const claim = await client.create(persistentVolumeClaims, {
      metadata: { name: 'c', namespace: 'default' },
      spec: {
        volumeName: 'pv',
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        resources: { requests: { storage: '1Gi' } },
      },
    } as unknown as Draft<PersistentVolumeClaim>)
    const key = { name: 'c', namespace: 'default' }
    await client.patch(persistentVolumeClaims, key, MERGE, { status: { phase: 'Bound' } }, STATUS)
    const { name, namespace, uid } = claim.metadata
    await client.create(persistentVolumes, {
      metadata: { name: 'pv' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, namespace, uid },
        csi: { driver: 'd.io', volumeHandle: 'h' },
      },
    } as unknown as Draft<PersistentVolume>)
  }

  async createPod(name: string, nodeName: string): Promise<void> {
    await this.world.client.create(pods, {
      metadata: { name, namespace: 'default' },
      spec: {
        nodeName,
        containers: [{ name: 'app', image: 'busybox' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
      },
    } as unknown as Draft<Pod>)
    await this.world.advance()
  }

  async deletePod(name: string): Promise<void> {
    await this.world.client.delete(pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 })
    await this.world.advance()
  }

  async setNode(name: string, status: object): Promise<void> {
    await this.world.client.patch(nodes, { name }, MERGE, { status }, STATUS)
    await this.world.advance()
  }

  async setAttachment(node: string, status: object): Promise<void> {
    const name = attachmentName('h', 'd.io', node)
    await this.world.client.patch(volumeAttachments, { name }, MERGE, { status }, STATUS)
    await this.world.advance()
  }

  async attachments(): Promise<VolumeAttachment['spec'][]> {
    const { items } = await this.world.client.list(volumeAttachments)
    return items.map(({ spec }) => spec)
  }

  async attachedTo(name: string): Promise<unknown> {
    return (await this.world.client.get(nodes, { name })).status.volumesAttached
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]()
  }
}

const at = (nodeName: string) => ({ attacher: 'd.io', nodeName, source: { persistentVolumeName: 'pv' } })

test('a volume is attached for its first Pod, told to the node, and detached when the node has let go of it', async () => {
  await using all = await AttachWorld.create()
  await all.createPod('p', 'a')
  assert.deepEqual(await all.attachments(), [at('a')])
  assert.equal(await all.attachedTo('a'), undefined)
  await all.setAttachment('a', { attached: true })
  assert.deepEqual(await all.attachedTo('a'), [{ name: UNIQUE, devicePath: '' }])
  assert.deepEqual(await all.world.events(), [
    'Normal SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv" ',
  ])
  await all.setNode('a', { volumesInUse: [UNIQUE] })
  await all.deletePod('p')
  assert.deepEqual(await all.attachments(), [at('a')])
  await all.setNode('a', { volumesInUse: null })
  assert.deepEqual(await all.attachments(), [])
  assert.equal(await all.attachedTo('a'), undefined)
})

test('what the attacher says went wrong is told to the Pod, once', async () => {
  await using all = await AttachWorld.create()
  await all.createPod('p', 'a')
  const attachError = { message: 'rpc error: code = Internal desc = no disk', time: '2026-01-01T00:00:00Z' }
  await all.setAttachment('a', { attached: false, attachError })
  await all.setAttachment('a', {
    attached: false,
    attachError: { ...attachError, time: '2026-01-01T00:00:09Z' },
  })
  assert.deepEqual(await all.world.events(), [
    'Warning FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : rpc error: code = Internal desc = no disk',
  ])
})

test('an attacher that does nothing is named after two minutes', async () => {
  await using all = await AttachWorld.create()
  await all.createPod('p', 'a')
  await all.world.advance(120_000)
  assert.deepEqual(await all.world.events(), [
    'Warning FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : timed out waiting for external-attacher of d.io CSI driver to attach volume h',
  ])
})

test('a Pod on another node waits for the first to end, and gets the volume then', async () => {
  await using all = await AttachWorld.create()
  await all.createPod('p', 'a')
  await all.setAttachment('a', { attached: true })
  await all.createPod('q', 'b')
  assert.deepEqual(await all.attachments(), [at('a')])
  assert.ok(
    (await all.world.events()).includes(
      'Warning FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already used by pod(s) p',
    ),
  )
  await all.deletePod('p')
  assert.deepEqual(await all.attachments(), [at('b')])
  assert.equal(await all.attachedTo('a'), undefined)
})

test('a node that has died keeps its volumes for six minutes', async () => {
  await using all = await AttachWorld.create()
  await all.createPod('p', 'a')
  await all.setAttachment('a', { attached: true })
  await all.setNode('a', { volumesInUse: [UNIQUE] })
  await all.setNode('a', { conditions: [{ type: 'Ready', status: 'Unknown' }] })
  await all.deletePod('p')
  await all.world.advance(359_000)
  assert.deepEqual(await all.attachments(), [at('a')])
  await all.world.advance(2_000)
  assert.deepEqual(await all.attachments(), [])
})

test('a node that went away with its Pods leaves nothing attached after six minutes', async () => {
  await using all = await AttachWorld.create()
  await all.createPod('p', 'a')
  await all.setAttachment('a', { attached: true })
  await all.setNode('a', { volumesInUse: [UNIQUE] })
  await all.world.client.delete(nodes, { name: 'a' })
  await all.deletePod('p')
  assert.deepEqual(await all.attachments(), [at('a')])
  await all.world.advance(361_000)
  assert.deepEqual(await all.attachments(), [])
})

test('a driver that says it needs no attaching gets its attachments taken back', async () => {
  await using all = await AttachWorld.create()
  await all.createPod('p', 'a')
  await all.world.client.create(csiDrivers, {
    metadata: { name: 'd.io' },
    spec: { attachRequired: false },
  } as unknown as Draft<CSIDriver>)
  await all.world.advance()
  assert.deepEqual(await all.attachments(), [])
})
