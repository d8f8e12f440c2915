// A StatefulSet's whole life with Pods that fail: never two of one ordinal, and in order where that is promised.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { persistentVolumeClaims, pods as podResource, statefulSets } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { isActive, isReady } from '../pod-control/pod-state.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { SimulatedNode, seededRandom } from '../testing/simulated-node.fixture.ts'
import { statefulSetDraft, templateOf } from '../testing/workload-objects.fixture.ts'
import { ordinalOf } from './ordinals.ts'
import { StatefulSetController } from './stateful-set-controller.ts'

const KEY = { name: 'web', namespace: 'default' }

/** In order: a Pod is only made when all before it are ready, and updates take the highest that is old. */
async function watchOrder(world: ControlWorld, broken: string[], signal: AbortSignal): Promise<void> {
  const known = new Map<number, Pod>()
  try {
    for await (const { type, object } of world.client.watch(podResource, { signal })) {
      const ordinal = ordinalOf(object)
      if (type === 'ADDED') {
        const before = [...known.values()].filter(pod => ordinalOf(pod) < ordinal)
        if (before.length < ordinal || before.some(pod => !isReady(pod)))
          broken.push(`${object.metadata.name} came before its time`)
      }
      if (type === 'DELETED') known.delete(ordinal)
      else known.set(ordinal, object)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

const life = fc.record({
  seed: fc.integer({ min: 1, max: 1 << 30 }),
  policy: fc.constantFrom('OrderedReady' as const, 'Parallel' as const),
  maxUnavailable: fc.integer({ min: 1, max: 3 }),
  sizes: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
})

test('a StatefulSet never runs two Pods of one ordinal, keeps its order, and becomes what was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(life, async ({ seed, policy, maxUnavailable, sizes }) => {
      await using world = await ControlWorld.create()
      const { client, clock, log } = world
      const random = seededRandom(seed)
      const node = new SimulatedNode(world, { random, slownessMs: 3_000 })
      const broken: string[] = []
      world.start(signal => new StatefulSetController({ client, clock, log }).run(signal))
      world.start(signal => node.run(signal))
      if (policy === 'OrderedReady') world.start(signal => watchOrder(world, broken, signal))
      await client.create(
        statefulSets,
        statefulSetDraft('web', {
          podManagementPolicy: policy,
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, partition: 0 } },
          volumeClaimTemplates: [
            {
              metadata: { name: 'data' },
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
            },
          ] as never,
        }),
      )
      await world.advance(15_000)
      for (const [index, replicas] of sizes.entries()) {
        const template = templateOf(`web:${index + 2}`)
        await client.patch(statefulSets, KEY, 'application/merge-patch+json', {
          spec: { replicas, template },
        })
        for (let step = 0; step < 5; step++) {
          await world.advance(2_000)
          await failOne(world, node, random)
        }
      }
      await world.advance(180_000)
      assert.deepEqual(node.doubles, [])
      assert.deepEqual(broken, [])
      await assertSettled(world, sizes.at(-1)!, `web:${sizes.length + 1}`)
    }),
    // The example: Pods that had ended waited for each other when the set shrank to none.
    {
      numRuns: 8,
      examples: [[{ seed: 58875868, policy: 'OrderedReady', maxUnavailable: 1, sizes: [5, 0] }]],
    },
  )
})

async function failOne(world: ControlWorld, node: SimulatedNode, random: () => number): Promise<void> {
  const { items } = await world.client.list(podResource)
  const running = items.filter(pod => isActive(pod) && isReady(pod))
  const victim = running[Math.floor(random() * running.length)]
  if (!victim || random() < 0.5) return
  await node.fail(victim)
  await world.settle()
}

async function assertSettled(world: ControlWorld, replicas: number, image: string): Promise<void> {
  const { items } = await world.client.list(podResource)
  assert.deepEqual(
    items.map(pod => [pod.metadata.name, pod.spec.containers[0]!.image, isReady(pod)]),
    Array.from({ length: replicas }, (_, ordinal) => [`web-${ordinal}`, image, true]),
  )
  const { status } = await world.client.get(statefulSets, KEY)
  assert.equal(status.replicas, replicas)
  assert.equal(status.updatedReplicas ?? 0, replicas)
  assert.equal(status.currentRevision, status.updateRevision)
  // Claims stay when Pods are scaled away: the data is somebody's.
  const claims = await world.names(persistentVolumeClaims)
  for (const { metadata } of items) assert.ok(claims.includes(`data-${metadata.name}`))
}
