import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { leases, nodes, pods } from '../../api/resources.ts'
import { formatMicroTime } from '../../api/time.ts'
import type { Lease } from '../../api/types/coordination-v1.ts'
import type { Node, NodeCondition, Pod, Toleration } from '../../api/types/core-v1.ts'
import { TaintEvictionController } from '../taint-eviction/taint-eviction-controller.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { NodeLifecycleController } from './node-lifecycle-controller.ts'
import { taintEveryMs, zoneState } from './zone-disruption.ts'

const HEARTBEAT_MS = 10_000
const conditions = (ready: 'True' | 'False' | 'Unknown'): NodeCondition[] =>
  ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map(type => ({
    type,
    status: type === 'Ready' ? ready : 'False',
    reason: 'Kubelet',
    message: 'as told',
    lastHeartbeatTime: '2026-01-01T00:00:00Z',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }))

class NodeLab {
  readonly world: ControlWorld
  /** Nodes whose kubelets live. */
  readonly alive = new Set<string>()

  constructor(world: ControlWorld) {
    this.world = world
  }

  static async create(...names: string[]): Promise<NodeLab> {
    const lab = new NodeLab(await ControlWorld.create())
    const { world } = lab
    for (const name of names) await lab.join(name)
    world.start(signal => new NodeLifecycleController(world).run(signal))
    world.start(signal => new TaintEvictionController(world).run(signal))
    await world.settle()
    return lab
  }

  async join(name: string): Promise<void> {
    const { client } = this.world
    await client.create(nodes, {
      metadata: { name },
      spec: {},
      status: { conditions: conditions('True') },
    } as unknown as Draft<Node>)
    const metadata = { name, namespace: 'kube-node-lease' }
    await client.create(leases, { metadata, spec: { holderIdentity: name } } as Draft<Lease>)
    this.alive.add(name)
  }

  /** Time passes, and the kubelets that live renew their leases. */
  async pass(seconds: number): Promise<void> {
    const { client, clock } = this.world
    for (let left = seconds * 1_000; left > 0; left -= HEARTBEAT_MS) {
      for (const name of this.alive) {
        const lease = await client.get(leases, { name, namespace: 'kube-node-lease' })
        const spec = { ...lease.spec, renewTime: formatMicroTime(clock.now()) }
        await client.update(leases, { ...lease, spec })
      }
      await this.world.advance(Math.min(left, HEARTBEAT_MS))
    }
  }

  node(name: string): Promise<Node> {
    return this.world.client.get(nodes, { name })
  }

  /** 'key:effect', sorted. */
  async taints(name: string): Promise<string[]> {
    const { spec } = await this.node(name)
    return (spec.taints ?? []).map(({ key, effect }) => `${key.split('/').at(-1)}:${effect}`).sort()
  }

  async tell(name: string, change: (list: NodeCondition[]) => NodeCondition[]): Promise<void> {
    const node = await this.node(name)
    const status = { ...node.status, conditions: change(node.status.conditions ?? []) }
    await this.world.client.update(nodes, { ...node, status }, { subresource: 'status' })
    await this.world.settle()
  }

  async run(name: string, node: string, tolerations: Toleration[] = []): Promise<void> {
    const spec = {
      nodeName: node,
      tolerations,
      containers: [{ name: 'main', image: 'nginx', resources: {} }],
    }
    const { client } = this.world
    const pod = await client.create(pods, { metadata: { name, namespace: 'default' }, spec } as Draft<Pod>)
    const status = {
      ...pod.status,
      phase: 'Running' as const,
      conditions: [{ type: 'Ready', status: 'True' as const, lastTransitionTime: '2026-01-01T00:00:00Z' }],
    }
    await client.update(pods, { ...pod, status }, { subresource: 'status' })
    await this.world.settle()
  }

  pod(name: string): Promise<Pod | undefined> {
    return this.world.find(pods, { name, namespace: 'default' })
  }

  async isGoing(name: string): Promise<boolean> {
    const pod = await this.pod(name)
    return pod === undefined || pod.metadata.deletionTimestamp !== undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]()
  }
}

test('a Node that is silent for 50 s is Unknown, tainted, and its Pods are not ready', async () => {
  await using lab = await NodeLab.create('one', 'two')
  await lab.run('web', 'one')
  await lab.pass(60)
  assert.deepEqual(await lab.taints('one'), [])
  lab.alive.delete('one')
  await lab.pass(30)
  assert.deepEqual(await lab.taints('one'), [])
  await lab.pass(20)
  assert.deepEqual(await lab.taints('one'), ['unreachable:NoExecute', 'unreachable:NoSchedule'])
  const { status } = await lab.node('one')
  assert.deepEqual(
    status.conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]),
    ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map(type => [
      type,
      'Unknown',
      'NodeStatusUnknown',
      'Kubelet stopped posting node status.',
    ]),
  )
  const pod = await lab.pod('web')
  assert.equal(pod?.status.conditions?.find(({ type }) => type === 'Ready')?.status, 'False')
  const events = await lab.world.events()
  assert.ok(events.includes('Normal NodeNotReady: Node one status is now: NodeNotReady'))
  assert.ok(events.includes('Warning NodeNotReady: Node is not ready'))
  assert.ok(events.includes('Normal RegisteredNode: Node one event: Registered Node one in Controller'))
  await lab.tell('one', () => conditions('True'))
  assert.deepEqual(await lab.taints('one'), [])
})

test('when every Node is silent none is tainted with NoExecute: the fault is on this side', async () => {
  await using lab = await NodeLab.create('one')
  lab.alive.clear()
  await lab.pass(120)
  assert.deepEqual(await lab.taints('one'), ['unreachable:NoSchedule'])
})

test('taints follow conditions and cordoning', async () => {
  await using lab = await NodeLab.create('one', 'two')
  const withTrue = (wanted: string) => (list: NodeCondition[]) =>
    list.map(condition => (condition.type === wanted ? { ...condition, status: 'True' as const } : condition))
  await lab.tell('one', withTrue('MemoryPressure'))
  await lab.tell('one', withTrue('DiskPressure'))
  assert.deepEqual(await lab.taints('one'), ['disk-pressure:NoSchedule', 'memory-pressure:NoSchedule'])
  await lab.tell('one', () => conditions('False'))
  assert.deepEqual(await lab.taints('one'), ['not-ready:NoExecute', 'not-ready:NoSchedule'])
  await lab.tell('one', () => conditions('True'))
  await lab.world.client.patch(nodes, { name: 'one' }, 'application/merge-patch+json', {
    spec: { unschedulable: true },
  })
  await lab.world.settle()
  assert.deepEqual(await lab.taints('one'), ['unschedulable:NoSchedule'])
  assert.equal((await lab.node('one')).spec.taints?.[0]?.timeAdded, '2026-01-01T00:00:00Z')
})

test('Nodes of a zone are tainted with NoExecute one after the other', async () => {
  await using lab = await NodeLab.create('one', 'two', 'three')
  for (const name of ['one', 'two']) await lab.tell(name, () => conditions('False'))
  const executed = async () =>
    (await Promise.all(['one', 'two'].map(name => lab.taints(name)))).filter(list =>
      list.includes('not-ready:NoExecute'),
    ).length
  assert.equal(await executed(), 1)
  await lab.pass(9)
  assert.equal(await executed(), 1)
  await lab.pass(1)
  assert.equal(await executed(), 2)
})

test('zones that are half down are spared, large ones emptied slowly', () => {
  const nodesOf = (ready: number, notReady: number) =>
    [...Array(ready).fill('True'), ...Array(notReady).fill('Unknown')].map(
      status => ({ metadata: {}, status: { conditions: [{ type: 'Ready', status }] } }) as unknown as Node,
    )
  assert.equal(zoneState(nodesOf(3, 0)), 'Normal')
  assert.equal(zoneState(nodesOf(1, 2)), 'Normal')
  assert.equal(zoneState(nodesOf(2, 3)), 'PartialDisruption')
  assert.equal(zoneState(nodesOf(0, 1)), 'FullDisruption')
  assert.equal(taintEveryMs('PartialDisruption', 5), undefined)
  assert.equal(taintEveryMs('PartialDisruption', 51), 100_000)
  assert.equal(taintEveryMs('FullDisruption', 5), 10_000)
})

test('a NoExecute taint evicts at once, after the tolerated time, or never', async () => {
  await using lab = await NodeLab.create('one', 'two')
  const taint = { key: 'example.com/down', value: 'yes', effect: 'NoExecute' as const }
  const tolerates = (tolerationSeconds?: number): Toleration[] => [
    {
      key: taint.key,
      operator: 'Exists',
      effect: 'NoExecute',
      ...(tolerationSeconds !== undefined && { tolerationSeconds }),
    },
  ]
  await lab.run('plain', 'one')
  await lab.run('patient', 'one', tolerates(30))
  await lab.run('stoic', 'one', tolerates())
  await lab.run('saved', 'one', tolerates(60))
  const setTaints = async (taints: object[]) => {
    await lab.world.client.patch(nodes, { name: 'one' }, 'application/merge-patch+json', { spec: { taints } })
    await lab.world.settle()
  }
  await setTaints([taint])
  assert.equal(await lab.isGoing('plain'), true)
  const target = (await lab.pod('plain'))?.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
  assert.deepEqual(
    [target?.status, target?.reason, target?.message],
    ['True', 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'],
  )
  assert.equal(await lab.isGoing('patient'), false)
  await lab.pass(30)
  assert.equal(await lab.isGoing('patient'), true)
  await setTaints([])
  await lab.pass(60)
  assert.equal(await lab.isGoing('saved'), false)
  assert.equal(await lab.isGoing('stoic'), false)
  const events = await lab.world.events()
  assert.ok(events.includes('Normal TaintManagerEviction: Marking for deletion Pod default/plain'))
  assert.ok(events.includes('Normal TaintManagerEviction: Cancelling deletion of Pod default/saved'))
})
