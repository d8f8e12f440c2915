// Workloads deleted at any moment of their lives, in any order and way: nothing of theirs is left, or what was to stay.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Draft } from '../../api/kube-object.ts'
import {
  controllerRevisions,
  daemonSets,
  deployments,
  nodes,
  pods as podResource,
  replicaSets,
  statefulSets,
} from '../../api/resources.ts'
import type { Node } from '../../api/types/core-v1.ts'
import { DaemonSetController } from '../daemon-set/daemon-set-controller.ts'
import { DeploymentController } from '../deployment/deployment-controller.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { ReplicaSetController } from '../replica-set/replica-set-controller.ts'
import { replicaSetKind } from '../replica-set/replicated.ts'
import { StatefulSetController } from '../stateful-set/stateful-set-controller.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { NODE, SimulatedNode, seededRandom } from '../testing/simulated-node.fixture.ts'
import {
  daemonSetDraft,
  deploymentDraft,
  statefulSetDraft,
  templateOf,
} from '../testing/workload-objects.fixture.ts'
import { runGarbageCollector } from './garbage-collector.ts'

const KINDS = ['deployment', 'replicaSet', 'statefulSet', 'daemonSet'] as const
type Kind = (typeof KINDS)[number]

const labelled = (kind: Kind) => {
  const labels = { app: kind }
  return { selector: { matchLabels: labels }, template: templateOf('web:1', labels) }
}

async function createAll({ client }: ControlWorld): Promise<void> {
  await client.create<Node>(nodes, { metadata: { name: NODE }, spec: {} } as Draft<Node>)
  await client.create(deployments, deploymentDraft('deployment', labelled('deployment')))
  await client.create(statefulSets, statefulSetDraft('statefulset', labelled('statefulSet')))
  await client.create(daemonSets, daemonSetDraft('daemonset', labelled('daemonSet')))
}

/** The Deployment's ReplicaSet: while its owner stands it comes back. */
async function deleteOne(world: ControlWorld, kind: Kind, propagationPolicy: Policy): Promise<void> {
  const { client } = world
  const options = { propagationPolicy }
  const key = { name: kind.toLowerCase(), namespace: 'default' }
  if (kind === 'deployment') await client.delete(deployments, key, options).catch(() => {})
  if (kind === 'statefulSet') await client.delete(statefulSets, key, options).catch(() => {})
  if (kind === 'daemonSet') await client.delete(daemonSets, key, options).catch(() => {})
  if (kind !== 'replicaSet') return
  for (const name of await world.names(replicaSets)) {
    await client.delete(replicaSets, { name, namespace: 'default' }, options).catch(() => {})
  }
}

type Policy = 'Background' | 'Foreground'

const plan = fc.record({
  seed: fc.integer({ min: 1, max: 1 << 30 }),
  firstMs: fc.integer({ min: 0, max: 8_000 }),
  order: fc.shuffledSubarray([...KINDS], { minLength: 4 }),
  policies: fc.array(fc.constantFrom<Policy>('Background', 'Foreground'), { minLength: 4, maxLength: 4 }),
  gapMs: fc.integer({ min: 0, max: 3_000 }),
})

test('nothing is left of workloads, in whatever order and way they are deleted', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ seed, firstMs, order, policies, gapMs }) => {
      await using world = await startWorld(seed)
      await createAll(world)
      await world.advance(firstMs)
      assert.ok((await leftIn(world)).length >= 8, 'there is something to delete')
      for (const [index, kind] of order.entries()) {
        await deleteOne(world, kind, policies[index]!)
        await world.advance(gapMs)
      }
      await world.advance(120_000)
      assert.deepEqual(await leftIn(world), [])
    }),
    { numRuns: 6 },
  )
})

async function leftIn(world: ControlWorld): Promise<string[]> {
  const lists = [
    world.names(podResource),
    world.names(replicaSets),
    world.names(controllerRevisions),
    world.names(deployments),
    world.names(statefulSets),
    world.names(daemonSets),
  ]
  return (await Promise.all(lists)).flat()
}

async function startWorld(seed: number): Promise<ControlWorld> {
  const world = await ControlWorld.create()
  const { client, clock, log, catalog } = world
  const context = { client, clock, log }
  const node = new SimulatedNode(world, { random: seededRandom(seed), slownessMs: 2_000 })
  const recorder = world.recorder('garbage-collector-controller')
  world.start(signal => runGarbageCollector({ ...context, catalog, recorder }, signal))
  world.start(signal => new ReplicaSetController(context, replicaSetKind).run(signal))
  world.start(signal => new DeploymentController(context).run(signal))
  world.start(signal => new StatefulSetController(context).run(signal))
  world.start(signal => new DaemonSetController(context).run(signal))
  world.start(signal => node.run(signal))
  return world
}

test('what is orphaned runs on, and is adopted by the next owner that selects it', async () => {
  await using world = await startWorld(7)
  const { client } = world
  await client.create(deployments, deploymentDraft('deployment', labelled('deployment')))
  await world.advance(10_000)
  const podsBefore = await world.names(podResource)
  const key = { name: 'deployment', namespace: 'default' }
  await client.delete(deployments, key, { propagationPolicy: 'Orphan' })
  await world.advance(10_000)
  const [orphan] = (await client.list(replicaSets)).items
  assert.equal(controllerOf(orphan!), undefined)
  assert.deepEqual(await world.names(podResource), podsBefore)
  const next = await client.create(deployments, deploymentDraft('next', labelled('deployment')))
  await world.advance(10_000)
  const sets = (await client.list(replicaSets)).items
  assert.deepEqual(
    sets.map(set => [set.metadata.name, controllerOf(set)?.uid]),
    [[orphan!.metadata.name, next.metadata.uid]],
  )
  assert.deepEqual(await world.names(podResource), podsBefore)
})
