// A whole rolling update, with Pods that fail on the way: what is promised of availability is kept at every step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deployments, pods as podResource, replicaSets } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { isActive, isReady } from '../pod-control/pod-state.ts'
import { ReplicaSetController } from '../replica-set/replica-set-controller.ts'
import { replicaSetKind } from '../replica-set/replicated.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { SimulatedNode, seededRandom } from '../testing/simulated-node.fixture.ts'
import { deploymentDraft, templateOf } from '../testing/workload-objects.fixture.ts'
import { DeploymentController } from './deployment-controller.ts'

interface Availability {
  fewest: number
  most: number
}

/** Looks at every change: a deletion of a ready Pod must leave enough of them, and there are never too many. */
async function watchPromise(
  world: ControlWorld,
  promise: () => Availability,
  broken: string[],
  signal: AbortSignal,
) {
  const known = new Map<string, Pod>()
  try {
    for await (const { type, object } of world.client.watch(podResource, { signal })) {
      const before = known.get(object.metadata.uid)
      if (type === 'DELETED') known.delete(object.metadata.uid)
      else known.set(object.metadata.uid, object)
      const active = [...known.values()].filter(isActive)
      const ready = active.filter(isReady).length
      const { fewest, most } = promise()
      const wasTaken = before && isReady(before) && !before.metadata.deletionTimestamp
      if (wasTaken && object.metadata.deletionTimestamp && ready < fewest)
        broken.push(`${object.metadata.name} was deleted and left ${ready} of ${fewest}`)
      if (active.length > most) broken.push(`there were ${active.length} Pods of at most ${most}`)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function startWorld(seed: number) {
  const world = await ControlWorld.create()
  const { client, clock, log } = world
  const random = seededRandom(seed)
  const node = new SimulatedNode(world, { random, slownessMs: 4_000 })
  world.start(signal => new ReplicaSetController({ client, clock, log }, replicaSetKind).run(signal))
  world.start(signal => new DeploymentController({ client, clock, log }).run(signal))
  world.start(signal => node.run(signal))
  return { world, node, random }
}

const run = fc.record({
  seed: fc.integer({ min: 1, max: 1 << 30 }),
  replicas: fc.integer({ min: 1, max: 8 }),
  maxSurge: fc.integer({ min: 0, max: 3 }),
  maxUnavailable: fc.integer({ min: 0, max: 3 }),
  updates: fc.integer({ min: 1, max: 3 }),
})

test('a rolling update keeps its promises while Pods fail, and comes to its end', async () => {
  await fc.assert(
    fc.asyncProperty(run, async ({ seed, replicas, maxSurge, maxUnavailable, updates }) => {
      const { world, node, random } = await startWorld(seed)
      await using _ = world
      const unavailable = maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable
      const strategy = {
        type: 'RollingUpdate' as const,
        rollingUpdate: { maxSurge, maxUnavailable: unavailable },
      }
      const broken: string[] = []
      const promise = () => ({ fewest: replicas - unavailable, most: replicas + maxSurge })
      world.start(signal => watchPromise(world, promise, broken, signal))
      await world.client.create(deployments, deploymentDraft('web', { replicas, strategy }))
      await world.advance(20_000)
      for (let update = 1; update <= updates; update++) {
        const patch = { spec: { template: templateOf(`web:${update + 1}`) } }
        const key = { name: 'web', namespace: 'default' }
        await world.client.patch(deployments, key, 'application/merge-patch+json', patch)
        for (let step = 0; step < 6; step++) {
          await world.advance(1_500)
          await failOne(world, node, random)
        }
      }
      await world.advance(120_000)
      assert.deepEqual(broken, [])
      await assertRolledOut(world, replicas, `web:${updates + 1}`)
    }),
    { numRuns: 8 },
  )
})

/** Every other time one running Pod ends, when nothing else is going on. */
async function failOne(world: ControlWorld, node: SimulatedNode, random: () => number): Promise<void> {
  const { items } = await world.client.list(podResource)
  const running = items.filter(pod => isActive(pod) && isReady(pod))
  const victim = running[Math.floor(random() * running.length)]
  if (!victim || random() < 0.5) return
  await node.fail(victim)
  await world.settle()
}

async function assertRolledOut(world: ControlWorld, replicas: number, image: string): Promise<void> {
  const { items } = await world.client.list(podResource)
  const active = items.filter(isActive)
  assert.deepEqual(
    active.map(({ spec, ...pod }) => [spec.containers[0]!.image, isReady(pod as Pod)]),
    Array.from({ length: replicas }, () => [image, true]),
  )
  const sets = await world.client.list(replicaSets)
  const sizes = sets.items.map(({ spec }) => spec.replicas).filter(size => size !== 0)
  assert.deepEqual(sizes, [replicas])
  const { status } = await world.client.get(deployments, { name: 'web', namespace: 'default' })
  assert.deepEqual(
    status.conditions!.map(({ type, status: holds, reason }) => [type, holds, reason]).sort(),
    [
      ['Available', 'True', 'MinimumReplicasAvailable'],
      ['Progressing', 'True', 'NewReplicaSetAvailable'],
    ],
  )
  assert.equal(status.updatedReplicas, replicas)
}
