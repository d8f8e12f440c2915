// Pods whose devices are tainted, over the real API server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { pods, resourceClaims, resourceSlices } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type {
  DeviceTaint,
  DeviceToleration,
  ResourceClaim,
  ResourceSlice,
} from '../../api/types/resource-v1.ts'
import { ControlWorld, START } from '../testing/control-world.fixture.ts'
import { templateOf } from '../testing/workload-objects.fixture.ts'
import { DeviceTaintEvictionController } from './device-taint-eviction-controller.ts'
import { evictionTime } from './eviction-time.ts'

const DRIVER = 'gpu.example.com'
const KEY = { name: 'web', namespace: 'default' }
const result = (tolerations?: DeviceToleration[]) => ({
  request: 'gpu',
  driver: DRIVER,
  pool: 'n1',
  device: 'gpu-0',
  ...(tolerations && { tolerations }),
})

class TaintLab {
  readonly world: ControlWorld

  constructor(world: ControlWorld) {
    this.world = world
  }

  static async create(tolerations?: DeviceToleration[]): Promise<TaintLab> {
    const world = await ControlWorld.create()
    const { client, clock, log } = world
    world.start(signal => new DeviceTaintEvictionController({ client, clock, log }).run(signal))
    const lab = new TaintLab(world)
    await lab.publish([])
    const { spec } = structuredClone(templateOf('web:1'))
    const claimed = [{ name: 'gpu', resourceClaimName: 'mine' }]
    const pod = await client.create(pods, {
      metadata: KEY,
      spec: { ...spec, nodeName: 'n1', resourceClaims: claimed },
    } as Draft<Pod>)
    const requests = [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }]
    const claim = await client.create(resourceClaims, {
      metadata: { name: 'mine', namespace: 'default' },
      spec: { devices: { requests } },
    } as Draft<ResourceClaim>)
    const status = {
      allocation: { devices: { results: [result(tolerations)] } },
      reservedFor: [{ resource: 'pods', name: 'web', uid: pod.metadata.uid! }],
    }
    await client.update(resourceClaims, { ...claim, status }, { subresource: 'status' })
    await world.advance(10)
    return lab
  }

  async publish(taints: Partial<DeviceTaint>[]): Promise<ResourceSlice> {
    const { client } = this.world
    const known = await this.world.find(resourceSlices, { name: 's' })
    const spec = {
      driver: DRIVER,
      nodeName: 'n1',
      pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'gpu-0', ...(taints.length > 0 && { taints: taints as DeviceTaint[] }) }],
    }
    const made = known
      ? await client.update(resourceSlices, { ...known, spec })
      : await client.create(resourceSlices, { metadata: { name: 's' }, spec } as Draft<ResourceSlice>)
    await this.world.advance(10)
    return made
  }

  async isLeaving(): Promise<boolean> {
    const pod = await this.world.find(pods, KEY)
    return !pod || pod.metadata.deletionTimestamp !== undefined
  }
}

test('a Pod goes when its device gets a taint, and says why', async () => {
  const lab = await TaintLab.create()
  await using world = lab.world
  await lab.publish([{ key: 'broken', effect: 'NoSchedule' }])
  assert.equal(await lab.isLeaving(), false)
  const { spec } = await lab.publish([{ key: 'broken', effect: 'NoExecute' }])
  assert.ok(spec.devices![0]!.taints![0]!.timeAdded)
  assert.equal(await lab.isLeaving(), true)
  const events = await world.events()
  assert.deepEqual(events, ['Normal DeviceTaintManagerEviction: Marking for deletion'])
  const condition = (await world.find(pods, KEY))?.status.conditions?.find(
    ({ type }) => type === 'DisruptionTarget',
  )
  assert.deepEqual(
    [condition?.reason, condition?.message],
    ['DeletionByDeviceTaintManager', 'Device Taint manager: deleting due to NoExecute taint'],
  )
})

test('a Pod that tolerates the taint for a while goes after that, unless the taint goes first', async () => {
  const lab = await TaintLab.create([{ key: 'broken', operator: 'Exists', tolerationSeconds: 60 }])
  await using world = lab.world
  await lab.publish([{ key: 'broken', effect: 'NoExecute' }])
  await world.advance(30_000)
  await lab.publish([])
  await world.advance(60_000)
  assert.equal(await lab.isLeaving(), false)
  assert.deepEqual(await world.events(), ['Normal DeviceTaintManagerEviction: Cancelling deletion'])
  await lab.publish([{ key: 'broken', effect: 'NoExecute' }])
  await world.advance(50_000)
  assert.equal(await lab.isLeaving(), false)
  await world.advance(11_000)
  assert.equal(await lab.isLeaving(), true)
})

const pod = { metadata: { ...KEY, uid: 'u' }, spec: { nodeName: 'n1' } } as Pod
const taint = (effect: DeviceTaint['effect'] = 'NoExecute'): DeviceTaint => ({
  key: 'broken',
  effect,
  timeAdded: new Date(START).toISOString(),
})
const claimWith = (tolerations: DeviceToleration[], uid = 'u') =>
  ({
    metadata: { name: 'c' },
    status: {
      allocation: { devices: { results: [result(tolerations)] } },
      reservedFor: [{ resource: 'pods', name: 'web', uid }],
    },
  }) as ResourceClaim

const times: Record<string, [ResourceClaim, DeviceTaint[], number | undefined]> = {
  'no taint': [claimWith([]), [], undefined],
  'a taint that is not for what runs': [claimWith([]), [taint('NoSchedule')], undefined],
  'a taint that is not tolerated': [claimWith([]), [taint()], START],
  'one that is tolerated for ever': [claimWith([{ operator: 'Exists' }]), [taint()], undefined],
  'one that is tolerated for a while': [
    claimWith([{ operator: 'Exists' }, { operator: 'Exists', tolerationSeconds: 5 }]),
    [taint()],
    START + 5_000,
  ],
  'a claim of another Pod': [claimWith([], 'other'), [taint()], undefined],
}

for (const [title, [claim, taints, expected]] of Object.entries(times)) {
  test(`tainted devices: ${title}`, () => {
    assert.equal(
      evictionTime(pod, [claim], () => taints),
      expected,
    )
  })
}
