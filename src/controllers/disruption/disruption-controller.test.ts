import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Draft } from '../../api/kube-object.ts'
import { podDisruptionBudgets, pods, replicaSets } from '../../api/resources.ts'
import { StatusError } from '../../api/status-error.ts'
import type { ReplicaSet } from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../api/types/policy-v1.ts'
import { ReplicaSetController } from '../replica-set/replica-set-controller.ts'
import { replicaSetKind } from '../replica-set/replicated.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { DisruptionController } from './disruption-controller.ts'

const labels = { app: 'web' }
const spec = { containers: [{ name: 'main', image: 'nginx', resources: {} }] }

class Lab {
  readonly world: ControlWorld

  private constructor(world: ControlWorld) {
    this.world = world
  }

  /** A ReplicaSet of this size whose Pods are ready. */
  static async create(replicas: number): Promise<Lab> {
    const lab = new Lab(await ControlWorld.create())
    const { world } = lab
    world.start(signal => new DisruptionController(world).run(signal))
    world.start(signal => new ReplicaSetController(world, replicaSetKind).run(signal))
    await world.client.create(replicaSets, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    } as Draft<ReplicaSet>)
    await lab.makeReady()
    return lab
  }

  async makeReady(): Promise<void> {
    await this.world.settle()
    for (const pod of await this.pods()) {
      const conditions = [{ type: 'Ready', status: 'True' as const }]
      if (pod.status.phase === 'Running') continue
      const status = { ...pod.status, phase: 'Running' as const, conditions }
      await this.world.client.update(pods, { ...pod, status }, { subresource: 'status' })
    }
    await this.world.settle()
  }

  async protect(wanted: Partial<PodDisruptionBudgetSpec>): Promise<void> {
    await this.world.client.create(podDisruptionBudgets, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { matchLabels: labels }, ...wanted },
    } as Draft<PodDisruptionBudget>)
    await this.world.settle()
  }

  budget(): Promise<PodDisruptionBudget> {
    return this.world.client.get(podDisruptionBudgets, { name: 'web', namespace: 'default' })
  }

  /** Allowed, healthy, desired, expected. */
  async counts(): Promise<number[]> {
    const { status } = await this.budget()
    return [status.disruptionsAllowed, status.currentHealthy, status.desiredHealthy, status.expectedPods]
  }

  async pods(): Promise<Pod[]> {
    return (await this.world.client.list(pods)).items
  }

  /** 'evicted', or why not. */
  async evict(name: string): Promise<string> {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } }
    try {
      await this.world.client.createSubresource(pods, { name, namespace: 'default' }, 'eviction', body)
      return 'evicted'
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      return error.status.details?.causes?.[0]?.message ?? error.message
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]()
  }
}

const budgets: [Partial<PodDisruptionBudgetSpec>, number[]][] = [
  [{ minAvailable: 3 }, [1, 4, 3, 4]],
  [{ minAvailable: '50%' }, [2, 4, 2, 4]],
  [{ minAvailable: '60%' }, [1, 4, 3, 4]],
  [{ minAvailable: 9 }, [0, 4, 9, 4]],
  [{ maxUnavailable: 1 }, [1, 4, 3, 4]],
  [{ maxUnavailable: '30%' }, [2, 4, 2, 4]],
  [{ maxUnavailable: 0 }, [0, 4, 4, 4]],
]

for (const [wanted, expected] of budgets) {
  test(`of four ready Pods ${JSON.stringify(wanted)} gives ${expected}`, async () => {
    await using lab = await Lab.create(4)
    await lab.protect(wanted)
    assert.deepEqual(await lab.counts(), expected)
    const { status, metadata } = await lab.budget()
    assert.equal(status.observedGeneration, metadata.generation)
    assert.equal(status.conditions?.[0]?.reason, expected[0]! > 0 ? 'SufficientPods' : 'InsufficientPods')
  })
}

test('an eviction is allowed once, told by a condition, and again when the new Pod is ready', async () => {
  await using lab = await Lab.create(2)
  await lab.protect({ minAvailable: 1 })
  const [one, two] = await lab.pods()
  assert.equal(await lab.evict(one!.metadata.name), 'evicted')
  await lab.world.settle()
  assert.equal(
    await lab.evict(two!.metadata.name),
    'The disruption budget web needs 1 healthy pods and has 1 currently',
  )
  await lab.makeReady()
  assert.deepEqual(await lab.counts(), [1, 2, 1, 2])
  assert.equal(await lab.evict(two!.metadata.name), 'evicted')
})

test('an evicted Pod that stays counts again after two minutes, and its condition is taken back', async () => {
  await using lab = await Lab.create(2)
  await lab.protect({ minAvailable: 1 })
  const [pod] = await lab.pods()
  const { name } = pod!.metadata
  const target = {
    type: 'DisruptionTarget',
    status: 'True' as const,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  const marked = { ...pod!, status: { ...pod!.status, conditions: [...pod!.status.conditions!, target] } }
  await lab.world.client.update(pods, marked, { subresource: 'status' })
  const budget = await lab.budget()
  const status = {
    ...budget.status,
    disruptionsAllowed: 0,
    disruptedPods: { [name]: '2026-01-01T00:00:00Z' },
  }
  await lab.world.client.update(podDisruptionBudgets, { ...budget, status }, { subresource: 'status' })
  await lab.world.advance(120_000)
  assert.deepEqual(await lab.counts(), [0, 1, 1, 2])
  await lab.world.advance(2)
  assert.deepEqual(await lab.counts(), [1, 2, 1, 2])
  assert.ok(
    (await lab.world.events()).includes(
      "Warning NotDeleted: Pod was expected by PDB default/web to be deleted but it wasn't",
    ),
  )
  const spared = await lab.world.client.get(pods, { name, namespace: 'default' })
  const condition = spared.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
  assert.equal(condition?.status, 'False')
})

test('Pods that nobody controls are told, and a plain minAvailable counts them', async () => {
  await using lab = await Lab.create(0)
  const draft = { metadata: { name: 'lone', namespace: 'default', labels: { app: 'lone' } }, spec }
  await lab.world.client.create(pods, draft as Draft<Pod>)
  await lab.makeReady()
  await lab.protect({ maxUnavailable: 1, selector: { matchLabels: { app: 'lone' } } })
  assert.deepEqual(await lab.counts(), [0, 1, 0, 0])
  const told = (await lab.world.events()).find(event => event.startsWith('Warning UnmanagedPods'))
  assert.match(
    told ?? '',
    /\(selector: &LabelSelector\{MatchLabels:map\[string\]string\{app: lone,\},MatchExpressions:\[\]LabelSelectorRequirement\{\},\}\)/,
  )
})

test('a controller that cannot tell its size fails safe', async () => {
  await using lab = await Lab.create(0)
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }
  const metadata = { name: 'part', namespace: 'default', labels, ownerReferences: [owner] }
  await lab.world.client.create(pods, { metadata, spec } as Draft<Pod>)
  await lab.makeReady()
  await lab.protect({ maxUnavailable: 1 })
  const { status } = await lab.budget()
  assert.deepEqual(
    status.conditions?.map(({ type, status: value, reason, message }) => [type, value, reason, message]),
    [['DisruptionAllowed', 'False', 'SyncFailed', 'jobs.batch does not implement the scale subresource']],
  )
})

test('whoever evicts whatever at the same time, never fewer Pods are ready than promised', async () => {
  const run = async (rounds: number[][], minAvailable: number) => {
    await using lab = await Lab.create(5)
    await lab.protect({ minAvailable })
    for (const victims of rounds) {
      const list = await lab.pods()
      const names = victims.map(victim => list[victim % list.length]!.metadata.name)
      const before = list.filter(({ status }) => status.phase === 'Running').length
      await Promise.all(names.map(name => lab.evict(name)))
      const ready = (await lab.pods()).filter(({ status }) => status.phase === 'Running').length
      assert.ok(ready >= Math.min(before, minAvailable), `${ready} of ${minAvailable}`)
      if (victims.length % 2 === 0) await lab.makeReady()
    }
    await lab.makeReady()
    assert.deepEqual(await lab.counts(), [5 - minAvailable, 5, minAvailable, 5])
  }
  const rounds = fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), { maxLength: 5 })
  await fc.assert(fc.asyncProperty(rounds, fc.integer({ min: 1, max: 4 }), run), { numRuns: 20 })
})
