import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { nodes, pods } from '../../api/resources.ts'
import { GrpcClient } from '../../base/grpc/grpc-client.ts'
import { devicePluginsDir, podResourcesDir } from '../plugins/kubelet-folder.ts'
import { podResourcesService } from '../pod-resources/pod-resources-api.ts'
import { container, KubeletWorld } from '../testing/kubelet-world.fixture.ts'
import { GRACE_MS } from './node-devices.ts'
import { DevicePluginFixture, type DevicePluginSettings } from './testing/device-plugin.fixture.ts'

const RESOURCE = 'example.com/dev'

const asking = (name: string, count: number, more: object = {}) => {
  const amount = { [RESOURCE]: String(count) }
  return container(name, { resources: { limits: amount, requests: amount }, ...more })
}

class DeviceWorld {
  readonly world: KubeletWorld
  readonly plugin: DevicePluginFixture

  constructor(world: KubeletWorld, settings: DevicePluginSettings, ids: readonly string[]) {
    this.world = world
    this.plugin = new DevicePluginFixture(this.folder, RESOURCE, ids, settings)
  }

  static async create(settings: DevicePluginSettings = {}, ids = ['a', 'b']): Promise<DeviceWorld> {
    const devices = new DeviceWorld(await KubeletWorld.create(), settings, ids)
    await devices.plugReady()
    return devices
  }

  get folder(): string {
    return devicePluginsDir(join(this.world.dir, 'kubelet'))
  }

  async plugReady(): Promise<void> {
    await this.world.untilTrue('the kubelet serves', () => existsSync(join(this.folder, 'kubelet.sock')))
    await this.plugin.start()
    await this.plugin.register()
    await this.offers(2, 2)
  }

  /** Resolves when the node shows so many. */
  async offers(capacity: number, allocatable: number): Promise<void> {
    await this.world.untilTrue(`${allocatable} of ${capacity} devices`, async () => {
      const { status } = await this.world.client.get(nodes, { name: 'node-1' })
      return (
        status.capacity?.[RESOURCE] === String(capacity) &&
        status.allocatable?.[RESOURCE] === String(allocatable)
      )
    })
  }

  async phase(name: string, phase: string): Promise<void> {
    await this.world.until(name, ({ status }) => status.phase === phase)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plugin.stop()
    await this.world.close()
  }
}

describe('device plugins', () => {
  test('what a plugin says of a device is what its container gets', async () => {
    await using it = await DeviceWorld.create({
      options: { preStartRequired: true },
      allocate: ([id]) => ({
        envs: { DEVICE: id!, OWN: 'plugin' },
        mounts: [
          { containerPath: '/lib/dev', hostPath: '/var/lib/kubelet/device-plugins/lib', readOnly: true },
        ],
        devices: [{ containerPath: '/dev/x', hostPath: '/dev/null', permissions: 'rw' }],
        annotations: { 'example.com/given': id! },
        cdiDevices: [{ name: `example.com/dev=${id}` }],
      }),
    })
    await it.world.createPod('one', {
      containers: [asking('app', 1, { env: [{ name: 'OWN', value: 'pod' }] })],
    })
    await it.phase('one', 'Running')
    const config = it.world.cri.configs.get('app')!
    const env = Object.fromEntries(
      (config.envs ?? []).map(({ key, value }) => [key, Buffer.from(value ?? []).toString()]),
    )
    assert.equal(env.DEVICE, 'a')
    assert.equal(env.OWN, 'pod')
    assert.deepEqual(config.mounts?.[0], {
      containerPath: '/lib/dev',
      hostPath: join(it.folder, 'lib'),
      readonly: true,
      selinuxRelabel: false,
    })
    assert.deepEqual(config.devices, [{ containerPath: '/dev/x', hostPath: '/dev/null', permissions: 'rw' }])
    assert.equal(config.annotations?.['example.com/given'], 'a')
    assert.deepEqual(config.cDIDevices, [{ name: 'example.com/dev=a' }])
    assert.deepEqual(it.plugin.calls, ['allocate a', 'preStart a'])
  })

  test('an unhealthy device is not allocatable, and its pod shows it', async () => {
    await using it = await DeviceWorld.create()
    await it.world.createPod('one', { containers: [asking('app', 1)] })
    await it.phase('one', 'Running')
    it.plugin.setHealth('a', 'Unhealthy')
    await it.offers(2, 1)
    const shown = [{ name: RESOURCE, resources: [{ resourceID: 'a', health: 'Unhealthy' }] }]
    await it.world.until('one', ({ status }) =>
      isDeepStrictEqual(status.containerStatuses?.[0]?.allocatedResourcesStatus, shown),
    )
  })

  test('a plugin that is gone leaves nothing to give, and after a while no devices', async () => {
    await using it = await DeviceWorld.create()
    it.plugin.stop()
    await it.offers(2, 0)
    await it.world.clock.advance(GRACE_MS + 20_000)
    await it.offers(0, 0)
    await it.plugReady()
  })

  test('a pod is refused when the plugin refuses', async () => {
    await using it = await DeviceWorld.create({
      allocate: () => {
        throw new Error('burnt out')
      },
    })
    await it.world.createPod('one', { containers: [asking('app', 1)] })
    await it.phase('one', 'Failed')
    const { status } = await it.world.pod('one')
    assert.equal(status.reason, 'UnexpectedAdmissionError')
    const text = 'Allocate failed due to rpc error: code = Unknown desc = burnt out, which is unexpected'
    assert.equal(status.message, `Pod was rejected: ${text}`)
    assert.equal(it.world.cri.configs.size, 0)
  })

  test('app containers get what init containers had; devices of a pod that has ended come back', async () => {
    await using it = await DeviceWorld.create()
    const pod = {
      restartPolicy: 'Never' as const,
      initContainers: [asking('init', 2)],
      containers: [asking('app', 2)],
    }
    await it.world.createPod('one', pod)
    await it.world.untilTrue('both were given', () => it.plugin.calls.length === 2)
    assert.deepEqual(it.plugin.calls, ['allocate a,b', 'allocate a,b'])
    await it.world.client.delete(pods, { namespace: 'default', name: 'one' })
    await it.world.untilTrue('it is gone', () =>
      it.world.pod('one').then(
        () => false,
        () => true,
      ),
    )
    await it.world.createPod('two', { containers: [asking('app', 1)] })
    await it.phase('two', 'Running')
    assert.deepEqual(it.plugin.calls.slice(2), ['allocate a'])
  })

  test('after a restart of the kubelet nothing is given twice, and plugins register anew', async () => {
    await using it = await DeviceWorld.create()
    await it.world.createPod('one', { containers: [asking('app', 1)] })
    await it.phase('one', 'Running')
    await it.world.stopKubelet()
    assert.equal(existsSync(join(it.folder, 'kubelet.sock')), false)
    it.plugin.stop()
    it.world.startKubelet()
    await it.offers(0, 0)
    await it.plugReady()
    await it.world.createPod('two', { containers: [asking('app', 1)] })
    await it.phase('two', 'Running')
    assert.deepEqual(it.plugin.calls, ['allocate a', 'allocate b'])
    const file = JSON.parse(readFileSync(join(it.folder, 'kubelet_internal_checkpoint'), 'utf8'))
    assert.deepEqual(
      file.Data.PodDeviceEntries.map((one: { DeviceIDs: object }) => one.DeviceIDs),
      [{ '-1': ['a'] }, { '-1': ['b'] }],
    )
  })

  test('monitors hear which container has which device', async () => {
    await using it = await DeviceWorld.create()
    await it.world.createPod('one', { containers: [asking('app', 1)] })
    await it.phase('one', 'Running')
    const client = new GrpcClient(
      join(podResourcesDir(join(it.world.dir, 'kubelet')), 'kubelet.sock'),
      podResourcesService,
    )
    try {
      const { podResources } = await client.call<{ podResources: { name: string; containers: object[] }[] }>(
        'List',
        {},
      )
      assert.equal(podResources[0]?.name, 'one')
      const [app] = podResources[0]!.containers as {
        devices: { resourceName: string; deviceIds: string[] }[]
      }[]
      assert.deepEqual(app!.devices, [{ resourceName: RESOURCE, deviceIds: ['a'] }])
      const { devices } = await client.call<{ devices: { deviceIds: string[] }[] }>(
        'GetAllocatableResources',
        {},
      )
      assert.deepEqual(
        devices.map(({ deviceIds }) => deviceIds),
        [['a'], ['b']],
      )
      const missing = client.call('Get', { podName: 'nobody', podNamespace: 'default' })
      await assert.rejects(missing, /pod nobody in namespace default not found/)
    } finally {
      client.close()
    }
  })

  test('a plugin of another version, or for a name that is none, hears why it is not taken', async () => {
    await using it = await DeviceWorld.create()
    await assert.rejects(it.plugin.register('v1'), {
      details: 'requested API version "v1" is not supported by kubelet. Supported version is ["v1beta1"]',
    })
    const native = new DevicePluginFixture(it.folder, 'cpu', ['a'])
    await assert.rejects(native.register(), { details: 'the ResourceName "cpu" is invalid' })
  })
})
