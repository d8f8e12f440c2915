import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { pods, resourceClaims, resourceSlices } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { ResourceClaim, ResourceSlice } from '../../api/types/resource-v1.ts'
import { pluginsRegistry } from '../plugins/kubelet-folder.ts'
import { container, KubeletWorld } from '../testing/kubelet-world.fixture.ts'
import { WIPING_DELAY_MS } from './dra-drivers.ts'
import { DraDriverFixture, type DraDriverSettings } from './testing/dra-driver.fixture.ts'

const DRIVER = 'gpu.example.com'

class DraWorld {
  readonly world: KubeletWorld
  driver: DraDriverFixture

  constructor(world: KubeletWorld, settings: DraDriverSettings) {
    this.world = world
    this.driver = this.another(settings)
  }

  static async create(settings: DraDriverSettings = {}): Promise<DraWorld> {
    const dra = new DraWorld(await KubeletWorld.create(), settings)
    await dra.world.untilTrue('the kubelet looks for plugins', () => existsSync(pluginsRegistry(dra.rootDir)))
    await dra.driver.start()
    return dra
  }

  get rootDir(): string {
    return join(this.world.dir, 'kubelet')
  }

  another(settings: DraDriverSettings): DraDriverFixture {
    return new DraDriverFixture(this.rootDir, DRIVER, settings)
  }

  /** A pod whose container 'app' names the claim; the claim is allocated, and reserved for these pods. */
  async createPod(name: string, claim: string): Promise<Pod> {
    return this.world.createPod(name, {
      terminationGracePeriodSeconds: 1,
      resourceClaims: [{ name: 'gpu', resourceClaimName: claim }],
      containers: [container('app', { resources: { claims: [{ name: 'gpu', request: 'card' }] } })],
    })
  }

  async createClaim(name: string): Promise<ResourceClaim> {
    const requests = [{ name: 'card', exactly: { deviceClassName: 'gpu' } }]
    const draft = { metadata: { name, namespace: 'default' }, spec: { devices: { requests } } }
    return this.world.client.create(resourceClaims, draft as unknown as Draft<ResourceClaim>)
  }

  /** As the scheduler does. */
  async allocate(name: string, ...users: Pod[]): Promise<void> {
    const reservedFor = users.map(({ metadata }) => ({
      resource: 'pods',
      name: metadata.name,
      uid: metadata.uid,
    }))
    const results = [{ request: 'card', driver: DRIVER, pool: 'node-1', device: 'one' }]
    await this.world.client.patch(
      resourceClaims,
      { name, namespace: 'default' },
      'application/merge-patch+json',
      { status: { allocation: { devices: { results } }, reservedFor } },
      { subresource: 'status' },
    )
  }

  async running(name: string): Promise<void> {
    await this.world.until(name, ({ status }) => status.phase === 'Running')
  }

  async delete(name: string): Promise<void> {
    await this.world.client.delete(pods, { namespace: 'default', name })
  }

  async gone(name: string): Promise<void> {
    await this.world.untilTrue(`${name} is gone`, () =>
      this.world.pod(name).then(
        () => false,
        () => true,
      ),
    )
  }

  /** Lets what waits for its turn have it. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await this.world.untilTrue(what, async () => {
      if (await holds()) return true
      await this.world.clock.advance(1_000)
      return false
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.driver.stop()
    await this.world.close()
  }
}

const devices = (claim: { name: string }) => [
  {
    requestNames: ['card'],
    poolName: 'node-1',
    deviceName: 'one',
    cdiDeviceIds: [`${DRIVER}/gpu=${claim.name}`],
  },
  { requestNames: ['other'], poolName: 'node-1', deviceName: 'two', cdiDeviceIds: [`${DRIVER}/gpu=two`] },
]

describe('DRA drivers', () => {
  for (const service of ['v1.DRAPlugin', 'v1beta1.DRAPlugin']) {
    test(`a container gets the devices of the request that it names (${service})`, async () => {
      await using it = await DraWorld.create({ service, prepare: devices })
      await it.createClaim('c')
      const pod = await it.createPod('one', 'c')
      await it.allocate('c', pod)
      await it.until('it runs', async () => (await it.world.pod('one')).status.phase === 'Running')
      assert.deepEqual(it.world.cri.configs.get('app')!.cDIDevices, [{ name: `${DRIVER}/gpu=c` }])
      const [status] = (await it.world.pod('one')).status.containerStatuses!
      assert.deepEqual(status!.allocatedResourcesStatus, [
        { name: 'claim:gpu/card', resources: [{ resourceID: `${DRIVER}/gpu=c`, health: 'Unknown' }] },
      ])
      await it.delete('one')
      await it.gone('one')
      assert.deepEqual(it.driver.calls, ['prepare c', 'unprepare c'])
    })
  }

  test('what is in the way is told, and tried again', async () => {
    await using it = await DraWorld.create()
    await it.createClaim('c')
    const pod = await it.createPod('one', 'c')
    const told = (text: string) => async () =>
      (await it.world.eventsOf('one')).includes(
        `FailedPrepareDynamicResources: Failed to prepare dynamic resources: prepare dynamic resources: ${text}`,
      )
    const { uid } = (await it.world.client.get(resourceClaims, { name: 'c', namespace: 'default' })).metadata
    const { uid: podUid } = pod.metadata
    await it.until(
      'it is not reserved',
      told(`pod one (${podUid}) is not allowed to use ResourceClaim c (${uid})`),
    )
    it.driver.stop()
    await it.allocate('c', pod)
    await it.until('the driver is missing', told(`DRA driver ${DRIVER} is not registered`))
    it.driver = it.another({
      prepare: () => {
        throw new Error('out of order')
      },
    })
    await it.driver.start()
    await it.until('the driver fails', told('NodePrepareResources failed for ResourceClaim c: out of order'))
    assert.equal(it.world.cri.configs.size, 0)
  })

  test('a claim of two pods is prepared once, and unprepared with the last', async () => {
    await using it = await DraWorld.create({ prepare: devices })
    await it.createClaim('c')
    const [one, two] = [await it.createPod('one', 'c'), await it.createPod('two', 'c')]
    await it.allocate('c', one)
    await it.until('one runs', async () => (await it.world.pod('one')).status.phase === 'Running')
    await it.allocate('c', one, two)
    await it.until('two runs', async () => (await it.world.pod('two')).status.phase === 'Running')
    await it.delete('one')
    await it.gone('one')
    assert.deepEqual(it.driver.calls, ['prepare c'])
    await it.delete('two')
    await it.gone('two')
    assert.deepEqual(it.driver.calls, ['prepare c', 'unprepare c'])
  })

  test('a pod stays until its claims are unprepared', async () => {
    let isStuck = true
    await using it = await DraWorld.create({
      prepare: devices,
      unprepare: () => {
        if (isStuck) throw new Error('still in use')
      },
    })
    await it.createClaim('c')
    await it.allocate('c', await it.createPod('one', 'c'))
    await it.until('it runs', async () => (await it.world.pod('one')).status.phase === 'Running')
    await it.delete('one')
    await it.until('it was tried twice', () => it.driver.calls.length > 2)
    assert.equal((await it.world.pod('one')).metadata.name, 'one')
    isStuck = false
    await it.until('it is gone', () =>
      it.world.pod('one').then(
        () => false,
        () => true,
      ),
    )
  })

  test('a kubelet that was restarted unprepares what the one before has prepared', async () => {
    await using it = await DraWorld.create({ prepare: devices })
    await it.createClaim('c')
    await it.allocate('c', await it.createPod('one', 'c'))
    await it.until('it runs', async () => (await it.world.pod('one')).status.phase === 'Running')
    await it.world.stopKubelet()
    it.driver.stop()
    await it.world.client.delete(pods, { namespace: 'default', name: 'one' }, { gracePeriodSeconds: 0 })
    it.world.startKubelet()
    await it.driver.start()
    await it.until('it is unprepared', () => it.driver.calls.includes('unprepare c'))
    assert.deepEqual(it.driver.calls, ['prepare c', 'unprepare c'])
  })

  test('slices of a driver that does not come back are deleted, those of others are not', async () => {
    await using it = await DraWorld.create()
    const slice = (name: string, driver: string, nodeName: string) =>
      it.world.client.create(resourceSlices, {
        metadata: { name },
        spec: {
          driver,
          nodeName,
          pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
          devices: [],
        },
      } as unknown as Draft<ResourceSlice>)
    await slice('mine', DRIVER, 'node-1')
    await slice('another', 'nic.example.com', 'node-1')
    await slice('elsewhere', DRIVER, 'node-2')
    const names = async () => {
      const { items } = await it.world.client.list(resourceSlices, {})
      return items.map(({ metadata }) => metadata.name)
    }
    const waits = it.world.clock.now()
    it.driver.stop()
    await it.until('it is gone', async () => !(await names()).includes('mine'))
    assert.ok(it.world.clock.now() - waits >= WIPING_DELAY_MS)
    assert.deepEqual(await names(), ['another', 'elsewhere'])
  })
})
