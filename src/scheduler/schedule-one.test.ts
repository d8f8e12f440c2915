import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '../api/types/core-v1.ts'
import { fitErrorMessage } from './fit-error.ts'
import { NodeInfo } from './node-info.ts'
import { defaultPlugins } from './plugins/default-plugins.ts'
import { feasibleEnough, scheduleOne } from './schedule-one.ts'

type Json = Record<string, unknown>

const node = (name: string, spec: Json = {}, labels: Record<string, string> = {}): Node =>
  ({
    metadata: { name, uid: name, labels },
    spec,
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '3', 'ephemeral-storage': '10Gi' } },
  }) as unknown as Node

const pod = (spec: Json = {}, requests: Json = {}): Pod =>
  ({
    metadata: { name: 'p', namespace: 'default', uid: Math.random().toString() },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests } }], ...spec },
    status: {},
  }) as unknown as Pod

function place(candidate: Pod, ...list: NodeInfo[]) {
  const placement = scheduleOne({
    pod: candidate,
    nodes: list,
    plugins: defaultPlugins,
    startAt: 0,
    random: () => 0,
  })
  return placement.node ?? fitErrorMessage(placement.failure)
}

const info = (...args: Parameters<typeof node>) => new NodeInfo(node(...args))

test('a Pod goes to the emptier node', () => {
  const busy = info('busy')
  busy.add(pod({}, { cpu: '1', memory: '2Gi' }))
  assert.equal(place(pod({}, { cpu: '100m' }), busy, info('free')), 'free')
})

const cases: Record<string, [Pod, NodeInfo, string]> = {
  'too much cpu': [pod({}, { cpu: '3' }), info('n'), '1 Insufficient cpu'],
  'too much of everything': [
    pod({}, { cpu: '3', memory: '5Gi', 'example.com/gpu': '1' }),
    info('n'),
    '1 Insufficient cpu, 1 Insufficient example.com/gpu, 1 Insufficient memory',
  ],
  'a cordoned node': [pod(), info('n', { unschedulable: true }), '1 node(s) were unschedulable'],
  'a taint': [
    pod(),
    info('n', { taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] }),
    '1 node(s) had untolerated taint(s)',
  ],
  'a node selector': [
    pod({ nodeSelector: { disk: 'ssd' } }),
    info('n'),
    "1 node(s) didn't match Pod's node affinity/selector",
  ],
  'init containers that need more than the apps': [
    pod({ initContainers: [{ name: 'i', resources: { requests: { cpu: '4' } } }] }),
    info('n'),
    '1 Insufficient cpu',
  ],
}

for (const [name, [candidate, only, reason]] of Object.entries(cases)) {
  test(`${name}: ${reason}`, () =>
    assert.equal(place(candidate, only), `0/1 nodes are available: ${reason}.`))
}

test('a tolerated taint and a matching selector are no hindrance', () => {
  const only = info('n', { taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] }, { disk: 'ssd' })
  assert.equal(
    place(pod({ nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'a', operator: 'Exists' }] }), only),
    'n',
  )
})

test('a full node and a taken host port turn Pods away until they are freed', () => {
  const only = info('n')
  const first = pod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] })
  only.add(first)
  const second = pod({ containers: [{ name: 'c', ports: [{ containerPort: 81, hostPort: 80 }] }] })
  assert.match(place(second, only), /1 node\(s\) didn't have free ports for the requested pod ports/)
  only.remove(first.metadata.uid)
  assert.equal(place(second, only), 'n')
  for (let count = 0; count < 3; count++) only.add(pod())
  assert.match(place(second, only), /1 Too many pods/)
})

test('required terms are alternatives, and preferred ones decide between nodes that fit', () => {
  const term = (key: string, value: string) => ({
    matchExpressions: [{ key, operator: 'In', values: [value] }],
  })
  const candidate = pod({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [term('zone', 'a'), term('zone', 'b')],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, preference: term('zone', 'b') }],
      },
    },
  })
  assert.equal(
    place(
      candidate,
      info('one', {}, { zone: 'a' }),
      info('two', {}, { zone: 'b' }),
      info('three', {}, { zone: 'c' }),
    ),
    'two',
  )
})

test('small clusters are looked at completely, of large ones a share', () => {
  assert.deepEqual([1, 99, 100, 1_000, 5_000, 10_000].map(feasibleEnough), [1, 99, 100, 420, 500, 500])
})
