import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DaemonSet } from '../../api/types/apps-v1.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { daemonSet, deleted, node, pod, templateOf } from '../testing/workload-objects.fixture.ts'
import { daemonTolerations, newDaemonPod, targetNode } from './daemon-pod.ts'
import { type DaemonPlan, type ObservedDaemons, planPlaces, planUpdate } from './decide-daemon-set.ts'
import { nodeFit } from './node-fit.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')

type Edits = NonNullable<Parameters<typeof pod>[1]>

const daemon = (name: string, nodeName: string, hash = 'new', edits: Edits = {}): Pod =>
  pod(name, {
    ...edits,
    metadata: { labels: { app: 'web', 'controller-revision-hash': hash }, ...edits.metadata },
    spec: { nodeName },
  })

const observe = (nodes: Node[], pods: Pod[], backingOff: string[] = []): ObservedDaemons => ({
  nodes,
  pods,
  hash: 'new',
  isBackingOff: name => backingOff.includes(name),
})

const shown = ({ create, delete: gone }: DaemonPlan) => ({
  create,
  delete: gone.map(({ metadata }) => metadata.name),
})

const three = [node('a'), node('b'), node('c')]
const tainted = (effect: 'NoSchedule' | 'NoExecute') => node('b', { taints: [{ key: 'dedicated', effect }] })
const rolling = (
  maxUnavailable: number | string,
  maxSurge: number | string = 0,
): Partial<DaemonSet['spec']> => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
})
const selecting = (nodeSelector: Record<string, string>): Partial<DaemonSet['spec']> => {
  const template = templateOf('web:1')
  return { template: { ...template, spec: { ...template.spec, nodeSelector } } }
}

interface Case {
  set?: Partial<DaemonSet['spec']>
  observed: ObservedDaemons
  create?: string[]
  delete?: string[]
}

const places: Record<string, Case> = {
  'one on every node': { observed: observe(three, [daemon('p', 'b')]), create: ['a', 'c'] },
  'only on nodes that the template selects': {
    set: selecting({ disk: 'ssd' }),
    observed: observe([node('a', {}, { disk: 'ssd' }), node('b')], [daemon('p', 'b')]),
    create: ['a'],
    delete: ['p'],
  },
  'none where a taint keeps Pods out; one that is there stays': {
    observed: observe([node('a'), tainted('NoSchedule')], [daemon('p', 'b')]),
    create: ['a'],
  },
  'a taint that drives Pods out takes it away': {
    observed: observe([tainted('NoExecute')], [daemon('p', 'b')]),
    delete: ['p'],
  },
  'one that goes is waited for': {
    observed: observe([node('a')], [daemon('p', 'a', 'new', { metadata: deleted })]),
  },
  'a failed one goes, to be made anew': {
    observed: observe([node('a')], [daemon('p', 'a', 'new', { status: { phase: 'Failed' } })]),
    delete: ['p'],
  },
  'a failed one stays while the node backs off': {
    observed: observe([node('a')], [daemon('p', 'a', 'new', { status: { phase: 'Failed' } })], ['a']),
  },
  'of several the oldest stays': {
    observed: observe(
      [node('a')],
      [
        daemon('p', 'a', 'new', { metadata: { creationTimestamp: '2026-01-01T00:00:05Z' } }),
        daemon('q', 'a'),
      ],
    ),
    delete: ['p'],
  },
  'with surge an old and a new one stand side by side until the new one is available': {
    set: rolling(0, 1),
    observed: observe([node('a')], [daemon('old', 'a', 'old'), daemon('new', 'a', 'new', { ready: false })]),
  },
  'with surge the old one goes when the new one is available': {
    set: rolling(0, 1),
    observed: observe([node('a')], [daemon('old', 'a', 'old'), daemon('new', 'a')]),
    delete: ['old'],
  },
  'with surge an old one that is not ready goes at once': {
    set: rolling(0, 1),
    observed: observe(
      [node('a')],
      [daemon('old', 'a', 'old', { ready: false }), daemon('new', 'a', 'new', { ready: false })],
    ),
    delete: ['old'],
  },
}

for (const [title, { set, observed, create = [], delete: gone = [] }] of Object.entries(places)) {
  test(`places: ${title}`, () => {
    assert.deepEqual(shown(planPlaces(daemonSet(set), observed, NOW)), { create, delete: gone })
  })
}

const old = (name: string, nodeName: string, ready = true) => daemon(name, nodeName, 'old', { ready })

const updates: Record<string, Case> = {
  'one at a time': { observed: observe(three, [old('p', 'a'), old('q', 'b'), old('r', 'c')]), delete: ['p'] },
  'a share of the nodes, rounded up': {
    set: rolling('50%'),
    observed: observe(three, [old('p', 'a'), old('q', 'b'), old('r', 'c')]),
    delete: ['p', 'q'],
  },
  'an updated one that is not available counts': {
    observed: observe(three, [daemon('p', 'a', 'new', { ready: false }), old('q', 'b'), old('r', 'c')]),
  },
  'a node without one counts': { observed: observe(three, [old('q', 'b'), old('r', 'c')]) },
  'an old one that serves nobody goes first': {
    observed: observe(three, [old('p', 'a'), old('q', 'b', false), old('r', 'c')]),
    delete: ['q'],
  },
  'OnDelete leaves it to people': {
    set: { updateStrategy: { type: 'OnDelete' } },
    observed: observe(three, [old('p', 'a')]),
  },
  'with surge the new one is made first': {
    set: rolling(0, 1),
    observed: observe(three, [old('p', 'a'), old('q', 'b'), old('r', 'c')]),
    create: ['a'],
  },
  'with surge the next waits for the one before': {
    set: rolling(0, 1),
    observed: observe(three, [
      old('p', 'a'),
      daemon('n', 'a', 'new', { ready: false }),
      old('q', 'b'),
      old('r', 'c'),
    ]),
  },
  'with surge the old one goes when the new one is available, and the next is made': {
    set: rolling(0, 1),
    observed: observe(three, [old('p', 'a'), daemon('n', 'a'), old('q', 'b'), old('r', 'c')]),
    create: ['b'],
    delete: ['p'],
  },
}

for (const [title, { set, observed, create = [], delete: gone = [] }] of Object.entries(updates)) {
  test(`updates: ${title}`, () => {
    assert.deepEqual(shown(planUpdate(daemonSet(set), observed, NOW)), { create, delete: gone })
  })
}

test('daemons tolerate what nodes are tainted with by themselves', () => {
  const taint = (key: string, effect: 'NoSchedule' | 'NoExecute') =>
    nodeFit(daemonSet(), node('a', { taints: [{ key: `node.kubernetes.io/${key}`, effect }] }))
  for (const key of ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'])
    assert.equal(taint(key, 'NoSchedule').shouldRun, true)
  for (const key of ['not-ready', 'unreachable']) assert.equal(taint(key, 'NoExecute').shouldRun, true)
  assert.equal(taint('network-unavailable', 'NoSchedule').shouldRun, false)
})

test('on the host’s network they come before the network does', () => {
  const spec = { ...templateOf('web:1').spec, hostNetwork: true }
  const keys = daemonTolerations(spec).map(({ key }) => key)
  assert.equal(keys.at(-1), 'node.kubernetes.io/network-unavailable')
  assert.equal(new Set(keys).size, keys.length)
})

test('a Pod is bound to its node by affinity, and labelled with its revision', () => {
  const annotations = { 'deprecated.daemonset.template.generation': '4' }
  const made = newDaemonPod(daemonSet({}, { annotations }), 'b', 'abc')
  assert.deepEqual(made.metadata.labels, {
    app: 'web',
    'pod-template-generation': '4',
    'controller-revision-hash': 'abc',
  })
  assert.equal(targetNode(made as Pod), 'b')
  assert.equal(made.spec.nodeName, undefined)
})
