// Plugins that look at a node and one Pod only.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Node, Pod, PodSpec } from '../../api/types/core-v1.ts'
import type { ClusterEvent } from '../cluster-event.ts'
import type { Plugin } from '../framework.ts'
import { node, pod, World } from '../testing/scheduling.fixture.ts'
import { imageLocality } from './image-locality.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { taintToleration } from './taint-toleration.ts'

const spec = (more: Partial<PodSpec>) => pod('p', { spec: more })

/** Pod, node, and what is said of it ('' when it fits). */
type Case = [Pod, Node, string]

function check(cases: Record<string, Case>): void {
  for (const [what, [candidate, one, expected]] of Object.entries(cases)) {
    test(what, () => {
      const text = new World([one]).place(candidate)
      assert.equal(text, expected ? `0/1 nodes are available: 1 ${expected}.` : 'n')
    })
  }
}

const required = (...matchExpressions: object[]) =>
  spec({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
      },
    } as PodSpec['affinity'],
  })
const ssd = node('n', { labels: { disk: 'ssd', cores: '8' } })
const MISMATCH = "node(s) didn't match Pod's node affinity/selector"

describe('NodeAffinity', () => {
  check({
    'a selector that matches': [spec({ nodeSelector: { disk: 'ssd' } }), ssd, ''],
    'a selector that does not': [spec({ nodeSelector: { disk: 'hdd' } }), ssd, MISMATCH],
    In: [required({ key: 'disk', operator: 'In', values: ['ssd', 'nvme'] }), ssd, ''],
    NotIn: [required({ key: 'disk', operator: 'NotIn', values: ['ssd'] }), ssd, MISMATCH],
    Exists: [required({ key: 'gpu', operator: 'Exists' }), ssd, MISMATCH],
    DoesNotExist: [required({ key: 'gpu', operator: 'DoesNotExist' }), ssd, ''],
    Gt: [required({ key: 'cores', operator: 'Gt', values: ['7'] }), ssd, ''],
    Lt: [required({ key: 'cores', operator: 'Lt', values: ['8'] }), ssd, MISMATCH],
    'all expressions of a term count': [
      required({ key: 'cores', operator: 'Exists' }, { key: 'gpu', operator: 'Exists' }),
      ssd,
      MISMATCH,
    ],
  })

  test('preferred terms that match are added up', () => {
    const preferred = [
      { weight: 30, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
      { weight: 20, preference: { matchExpressions: [{ key: 'zone', operator: 'Exists' }] } },
    ]
    const candidate = spec({
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } },
    } as Partial<PodSpec>)
    const world = new World([
      node('both', { labels: { disk: 'ssd', zone: 'a' } }),
      node('one', { labels: { zone: 'a' } }),
      node('none'),
    ])
    assert.deepEqual(world.scores(candidate, nodeAffinity), { both: 200, one: 80, none: 0 })
  })

  test('names that contradict each other end the search', () => {
    const fields = ['a', 'b'].map(name => ({ key: 'metadata.name', operator: 'In', values: [name] }))
    const candidate = spec({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: fields }] },
        },
      },
    } as Partial<PodSpec>)
    assert.equal(new World([ssd]).place(candidate), '0/1 nodes are available: pod affinity terms conflict.')
  })
})

const tainted = (effect: string, value?: string) =>
  node('n', { spec: { taints: [{ key: 'k', ...(value && { value }), effect }] } as Node['spec'] })
const tolerating = (...tolerations: object[]) => spec({ tolerations } as Partial<PodSpec>)
const TAINT = 'node(s) had untolerated taint(s)'

describe('TaintToleration', () => {
  check({
    NoSchedule: [pod('p'), tainted('NoSchedule'), TAINT],
    NoExecute: [pod('p'), tainted('NoExecute'), TAINT],
    PreferNoSchedule: [pod('p'), tainted('PreferNoSchedule'), ''],
    'tolerated by key and value': [
      tolerating({ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }),
      tainted('NoSchedule', 'v'),
      '',
    ],
    'another value': [tolerating({ key: 'k', value: 'w' }), tainted('NoSchedule', 'v'), TAINT],
    'another effect': [
      tolerating({ key: 'k', operator: 'Exists', effect: 'NoExecute' }),
      tainted('NoSchedule'),
      TAINT,
    ],
    'everything tolerated': [tolerating({ operator: 'Exists' }), tainted('NoExecute', 'v'), ''],
  })

  test('a node with fewer taints to put up with is better', () => {
    const mild = (name: string, ...keys: string[]) =>
      node(name, { spec: { taints: keys.map(key => ({ key, effect: 'PreferNoSchedule' })) } as Node['spec'] })
    const world = new World([mild('two', 'a', 'b'), mild('one', 'a', 'ok'), mild('none')])
    const candidate = tolerating({ key: 'ok', operator: 'Exists' })
    assert.deepEqual(world.scores(candidate, taintToleration), { two: 0, one: 150, none: 300 })
  })
})

describe('NodeUnschedulable, NodeName', () => {
  const cordoned = node('n', { spec: { unschedulable: true } })
  check({
    'a cordoned node': [pod('p'), cordoned, 'node(s) were unschedulable'],
    'a cordoned node for a Pod that does not mind': [
      tolerating({ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }),
      cordoned,
      '',
    ],
    'another node by name': [
      spec({ nodeName: 'other' }),
      node('n'),
      "node(s) didn't match the requested node name",
    ],
    'the node by name': [spec({ nodeName: 'n' }), node('n'), ''],
  })
})

const ports = (...list: object[]) =>
  spec({ containers: [{ name: 'c', image: 'x', ports: list }] } as Partial<PodSpec>)

describe('NodePorts', () => {
  const PORTS = "node(s) didn't have free ports for the requested pod ports"
  const taken = ports({ containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' })
  const cases: Record<string, [Pod, string]> = {
    'the same port of the same address': [
      ports({ containerPort: 1, hostPort: 80, hostIP: '10.0.0.1' }),
      PORTS,
    ],
    'the same port of every address': [ports({ containerPort: 1, hostPort: 80 }), PORTS],
    'the same port of another address': [ports({ containerPort: 1, hostPort: 80, hostIP: '10.0.0.2' }), ''],
    'the same port of another protocol': [ports({ containerPort: 1, hostPort: 80, protocol: 'UDP' }), ''],
    'another port': [ports({ containerPort: 80, hostPort: 81 }), ''],
    'no host port': [ports({ containerPort: 80 }), ''],
  }
  for (const [what, [candidate, expected]] of Object.entries(cases)) {
    test(what, () => {
      const text = new World([node('n')]).with('n', taken).place(candidate)
      assert.equal(text, expected ? `0/1 nodes are available: 1 ${expected}.` : 'n')
    })
  }
})

describe('NodeResourcesFit', () => {
  check({
    'all of it': [pod('p', { requests: { cpu: '2', memory: '4Gi' } }), node('n'), ''],
    'a bit more': [pod('p', { requests: { cpu: '2001m' } }), node('n'), 'Insufficient cpu'],
    'an unknown resource': [
      pod('p', { requests: { 'example.com/gpu': '1' } }),
      node('n'),
      'Insufficient example.com/gpu',
    ],
    'storage for containers': [
      pod('p', { requests: { 'ephemeral-storage': '11Gi' } }),
      node('n'),
      'Insufficient ephemeral-storage',
    ],
    'no slot for a Pod': [pod('p'), node('n', { allocatable: { pods: '0' } }), 'Too many pods'],
  })

  test('what Pods that are there ask for is taken', () => {
    const world = new World([node('n')]).with('n', pod('a', { requests: { cpu: '1500m' } }))
    assert.equal(
      world.place(pod('p', { requests: { cpu: '600m' } })),
      '0/1 nodes are available: 1 Insufficient cpu.',
    )
    assert.equal(world.place(pod('p', { requests: { cpu: '500m' } })), 'n')
  })

  test('only what an empty node could not give either is hopeless', () => {
    const world = new World([node('n')]).with('n', pod('a', { requests: { cpu: '1500m' } }))
    const resolvable = (cpu: string) => {
      const placement = world.placement(pod('p', { requests: { cpu } }))
      return placement.node === undefined && placement.verdicts.get('n')?.resolvable
    }
    assert.deepEqual([resolvable('1'), resolvable('3')], [true, false])
  })

  test('the emptier node scores higher', () => {
    const world = new World([node('half'), node('empty')])
    world.with('half', pod('a', { requests: { cpu: '1', memory: '2Gi' } }))
    const candidate = pod('p', { requests: { cpu: '200m', memory: '400Mi' } })
    assert.deepEqual(world.scores(candidate, nodeResourcesFit), { half: 40, empty: 90 })
  })
})

describe('NodeResourcesBalancedAllocation', () => {
  test('a node where cpu and memory would be used alike scores higher', () => {
    const world = new World([node('lopsided'), node('level')])
    world.with('lopsided', pod('a', { requests: { cpu: '1' } }))
    const candidate = pod('p', { requests: { cpu: '1', memory: '2Gi' } })
    assert.deepEqual(world.scores(candidate, nodeResourcesBalancedAllocation), { lopsided: 75, level: 100 })
  })

  test('a Pod without requests has no say', () => {
    const world = new World([node('a'), node('b')])
    assert.deepEqual(world.scores(pod('p'), nodeResourcesBalancedAllocation), { a: 0, b: 0 })
  })
})

describe('ImageLocality', () => {
  const images = [{ names: ['x:latest', 'docker.io/library/x:latest'], sizeBytes: 523 * 2 ** 20 }]

  test('a node that has the image scores higher, the more the wider it is spread', () => {
    const one = new World([node('has', { images }), node('none')])
    assert.deepEqual(one.scores(pod('p'), imageLocality), { has: 24, none: 0 })
    const both = new World([node('has', { images }), node('too', { images })])
    assert.deepEqual(both.scores(pod('p'), imageLocality), { has: 51, too: 51 })
  })
})

describe('what is tried again after what', () => {
  const changed = (
    old: Node,
    now: Node,
    ...aspects: ('labels' | 'taints' | 'allocatable' | 'unschedulable')[]
  ) => ({ what: 'nodeChanged', old, node: now, aspects: new Set(aspects) }) as ClusterEvent
  const added = (one: Node): ClusterEvent => ({ what: 'nodeAdded', node: one })
  const gone = (one: Pod): ClusterEvent => ({ what: 'assignedPodGone', pod: one })
  const plain = node('n')
  const big = node('n', { allocatable: { cpu: '8' } })
  const asks = pod('p', { requests: { cpu: '4' } })
  const wantsSsd = spec({ nodeSelector: { disk: 'ssd' } })
  const wantsPort = ports({ containerPort: 1, hostPort: 80 })
  const table: Record<string, [Plugin, ClusterEvent, Pod, boolean]> = {
    'a node that is too small': [nodeResourcesFit, added(plain), asks, false],
    'a node that is big enough': [nodeResourcesFit, added(big), asks, true],
    'a node that grew': [nodeResourcesFit, changed(plain, big, 'allocatable'), asks, true],
    'a node that shrank': [
      nodeResourcesFit,
      changed(node('n', { allocatable: { cpu: '9' } }), big, 'allocatable'),
      asks,
      false,
    ],
    'a node with other labels, for room': [nodeResourcesFit, changed(plain, ssd, 'labels'), asks, false],
    'a Pod that went, for room': [nodeResourcesFit, gone(pod('x')), asks, true],
    'a node with the labels asked for': [nodeAffinity, added(ssd), wantsSsd, true],
    'a node without them': [nodeAffinity, added(plain), wantsSsd, false],
    'a node that got them': [nodeAffinity, changed(plain, ssd, 'labels'), wantsSsd, true],
    'a node that had them': [nodeAffinity, changed(ssd, ssd, 'labels'), wantsSsd, false],
    'a Pod that went, for labels': [nodeAffinity, gone(pod('x')), wantsSsd, false],
    'a taint that went': [taintToleration, changed(tainted('NoSchedule'), plain, 'taints'), pod('p'), true],
    'a taint that came': [taintToleration, changed(plain, tainted('NoSchedule'), 'taints'), pod('p'), false],
    'a node that is open again': [
      nodeUnschedulable,
      changed(node('n', { spec: { unschedulable: true } }), plain, 'unschedulable'),
      pod('p'),
      true,
    ],
    'the node of that name': [nodeName, added(plain), spec({ nodeName: 'n' }), true],
    'a node of another name': [nodeName, added(plain), spec({ nodeName: 'm' }), false],
    'a Pod that gave the port back': [nodePorts, gone(wantsPort), wantsPort, true],
    'a Pod that had another port': [nodePorts, gone(pod('x')), wantsPort, false],
  }
  for (const [what, [plugin, event, candidate, expected]] of Object.entries(table)) {
    test(`${plugin.name}: ${what}`, () => assert.equal(plugin.mayHelp!(event, candidate), expected))
  }
})
