import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods as podResource, replicaSets } from '../../api/resources.ts'
import { forbidden } from '../../api/status-error.ts'
import type { ReplicaSetSpec } from '../../api/types/apps-v1.ts'
import { type AdmissionPlugin, isResource } from '../../apiserver/admission/admission.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { SimulatedNode, seededRandom } from '../testing/simulated-node.fixture.ts'
import { templateOf } from '../testing/workload-objects.fixture.ts'
import { ReplicaSetController } from './replica-set-controller.ts'
import { replicaSetKind } from './replicated.ts'

const KEY = { name: 'web', namespace: 'default' }
const selector = { matchLabels: { app: 'web' } }

/** No more Pods than so many, as a quota has it. */
function atMost(most: { pods: number }): AdmissionPlugin {
  let made = 0
  return {
    name: 'AtMost',
    validate(attributes) {
      if (!isResource(attributes, 'pods') || attributes.operation !== 'CREATE' || attributes.subresource)
        return
      if (made >= most.pods) throw forbidden(podResource, attributes.object!.metadata.name, 'exceeded quota')
      made++
    },
  }
}

async function start(spec: Partial<ReplicaSetSpec>, plugins: AdmissionPlugin[] = []) {
  const world = await ControlWorld.create({ plugins: () => plugins })
  const { client, clock, log } = world
  const node = new SimulatedNode(world, { random: seededRandom(3), slownessMs: 1_000 })
  world.start(signal => new ReplicaSetController({ client, clock, log }, replicaSetKind).run(signal))
  world.start(signal => node.run(signal))
  await client.create(replicaSets, {
    metadata: KEY,
    spec: { replicas: 3, selector, template: templateOf('web:1'), ...spec },
  })
  return { world, node, client }
}

const statusOf = async ({ client }: ControlWorld) => (await client.get(replicaSets, KEY)).status

test('it makes its Pods, tells of each, and counts those that are ready', async () => {
  const { world } = await start({})
  await using _ = world
  await world.advance(5_000)
  const names = await world.names(podResource)
  assert.equal(names.length, 3)
  assert.deepEqual(
    (await world.events()).sort(),
    names.map(name => `Normal SuccessfulCreate: Created pod: ${name}`).sort(),
  )
  assert.deepEqual(await statusOf(world), {
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    terminatingReplicas: 0,
    observedGeneration: 1,
  })
})

test('Pods are available when they have been ready for long enough', async () => {
  const { world } = await start({ minReadySeconds: 60 })
  await using _ = world
  await world.advance(5_000)
  assert.deepEqual(
    [(await statusOf(world)).readyReplicas, (await statusOf(world)).availableReplicas],
    [3, undefined],
  )
  await world.advance(61_000)
  assert.equal((await statusOf(world)).availableReplicas, 3)
})

test('what cannot be created is told until it can', async () => {
  const most = { pods: 2 }
  const { world, client } = await start({}, [atMost(most)])
  await using _ = world
  await world.advance(3_000)
  const [condition] = (await statusOf(world)).conditions ?? []
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.reason],
    ['ReplicaFailure', 'True', 'FailedCreate'],
  )
  assert.match(condition!.message!, /is forbidden: exceeded quota$/)
  most.pods = 9
  await world.advance(60_000)
  assert.equal((await statusOf(world)).conditions, undefined)
  assert.equal((await client.list(podResource)).items.length, 3)
})

test('a Pod that no longer fits is let go and replaced, and may come back', async () => {
  const { world, client } = await start({})
  await using _ = world
  await world.advance(5_000)
  const [first] = await world.names(podResource)
  const relabel = (app: string) =>
    client.patch(podResource, { ...KEY, name: first! }, 'application/merge-patch+json', {
      metadata: { labels: { app } },
    })
  await relabel('other')
  await world.advance(5_000)
  const released = await client.get(podResource, { ...KEY, name: first! })
  assert.equal(released.metadata.ownerReferences, undefined)
  assert.equal((await client.list(podResource)).items.length, 4)
  await relabel('web')
  await world.advance(5_000)
  assert.equal((await client.list(podResource)).items.length, 3)
})

test('a failed Pod is replaced and left to be looked at', async () => {
  const { world, node, client } = await start({ replicas: 1 })
  await using _ = world
  await world.advance(5_000)
  const [failed] = (await client.list(podResource)).items
  await node.fail(failed!)
  await world.advance(5_000)
  const phases = (await client.list(podResource)).items.map(({ status }) => status.phase)
  assert.deepEqual(phases.sort(), ['Failed', 'Running'])
  assert.equal((await statusOf(world)).replicas, 1)
})
