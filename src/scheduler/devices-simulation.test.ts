// Random devices, claims and Pods in virtual time: no device is given out twice, nobody has devices of another node, and
// nobody waits while there are devices for him.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Draft } from '../api/kube-object.ts'
import {
  deviceClasses,
  pods,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
} from '../api/resources.ts'
import type {
  DeviceClass,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../api/types/resource-v1.ts'
import { ResourceClaimController } from '../controllers/resource-claim/resource-claim-controller.ts'
import { DRIVER, request } from './testing/devices.fixture.ts'
import { SchedulerLab } from './testing/scheduler-lab.fixture.ts'

type Step =
  | { do: 'addPod'; count: number }
  | { do: 'endPod'; which: number }
  | { do: 'publish'; node: number; devices: number }
  | { do: 'pass'; seconds: number }

const NODES = ['n1', 'n2']
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('addPod' as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('endPod' as const), which: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      node: fc.nat(NODES.length - 1),
      devices: fc.integer({ min: 0, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 11) }) },
)

class Simulation {
  readonly #lab: SchedulerLab
  readonly #published = new Map<string, number>()
  #made = 0

  private constructor(lab: SchedulerLab) {
    this.#lab = lab
  }

  static async create(lab: SchedulerLab): Promise<Simulation> {
    const { client, clock, log } = lab.world
    lab.world.start(signal => new ResourceClaimController({ client, clock, log }).run(signal))
    await client.create(deviceClasses, { metadata: { name: 'gpu' }, spec: {} } as Draft<DeviceClass>)
    for (const name of NODES) await lab.addNode(name, '100')
    for (const count of [1, 2, 3]) {
      await client.create(resourceClaimTemplates, {
        metadata: { name: `gpus-${count}`, namespace: 'default' },
        spec: { spec: { devices: { requests: [request('gpu', { count })] } } },
      } as Draft<ResourceClaimTemplate>)
    }
    return new Simulation(lab)
  }

  async perform(step: Step): Promise<void> {
    const { world } = this.#lab
    const name = `x${this.#made++}`
    if (step.do === 'addPod') {
      const resourceClaimTemplateName = `gpus-${step.count}`
      await this.#lab.addPod(name, '0', { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName }] })
    } else if (step.do === 'endPod') {
      const { items } = await world.client.list(pods)
      const pod = items[step.which % Math.max(1, items.length)]
      if (pod) await this.#lab.remove(pod.metadata.name)
      await this.#collect()
    } else if (step.do === 'publish') await this.#publish(NODES[step.node]!, step.devices)
    await world.advance(step.do === 'pass' ? step.seconds * 1_000 : 11_000)
  }

  /** A new generation with more devices, as a driver does that has found some. */
  async #publish(node: string, more: number): Promise<void> {
    const { client } = this.#lab.world
    const count = (this.#published.get(node) ?? 0) + more
    this.#published.set(node, count)
    const metadata = { name: `slice-${node}` }
    const devices = Array.from({ length: count }, (_, index) => ({ name: `gpu-${index}` }))
    const pool = { name: node, generation: this.#made, resourceSliceCount: 1 }
    const known = await this.#lab.world.find(resourceSlices, metadata)
    const spec = { driver: DRIVER, pool, nodeName: node, devices }
    if (known) await client.update(resourceSlices, { ...known, spec })
    else await client.create(resourceSlices, { metadata, spec } as Draft<ResourceSlice>)
  }

  /** Plays the garbage collector: claims go with their Pods. */
  async #collect(): Promise<void> {
    const { client } = this.#lab.world
    const uids = new Set((await client.list(pods)).items.map(({ metadata }) => metadata.uid))
    for (const { metadata } of await this.claims()) {
      const isOrphan = !metadata.ownerReferences?.some(({ uid }) => uids.has(uid))
      if (isOrphan && !metadata.deletionTimestamp)
        await client.delete(resourceClaims, { name: metadata.name, namespace: 'default' })
    }
  }

  async claims(): Promise<ResourceClaim[]> {
    return (await this.#lab.world.client.list(resourceClaims)).items
  }

  async check(): Promise<void> {
    const claims = await this.claims()
    const { items } = await this.#lab.world.client.list(pods)
    const given = claims.flatMap(({ status }) => status.allocation?.devices.results ?? [])
    const ids = given.map(({ pool, device }) => `${pool}/${device}`)
    assert.equal(new Set(ids).size, ids.length, `given out twice: ${ids.sort().join()}`)
    const free = NODES.map(
      node => (this.#published.get(node) ?? 0) - given.filter(({ pool }) => pool === node).length,
    )
    for (const pod of items) {
      const claim = claims.find(({ metadata }) =>
        metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid),
      )
      assert.ok(claim, `${pod.metadata.name} has no claim`)
      const pools = claim.status.allocation?.devices.results?.map(({ pool }) => pool) ?? []
      const { count = 0 } = claim.spec.devices.requests[0]!.exactly!
      if (pod.spec.nodeName) assert.deepEqual(pools, Array(count).fill(pod.spec.nodeName))
      else assert.ok(Math.max(...free) < count, `${pod.metadata.name} waits for ${count} of ${free.join()}`)
    }
  }
}

test('no device is given out twice, and nobody waits without need', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepOf, { minLength: 5, maxLength: 25 }), async steps => {
      await using lab = await SchedulerLab.create()
      const simulation = await Simulation.create(lab)
      for (const step of steps) {
        await simulation.perform(step)
        if (step.do !== 'pass') await simulation.check()
      }
    }),
    { numRuns: 20, endOnFailure: true },
  )
})
