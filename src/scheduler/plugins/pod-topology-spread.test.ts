import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, PodSpec, TopologySpreadConstraint } from '../../api/types/core-v1.ts'
import { labelled, node, pod, World } from '../testing/scheduling.fixture.ts'
import { podTopologySpread } from './pod-topology-spread.ts'

const zoned = (name: string, zone?: string, more: Node['spec'] = {}) =>
  node(name, { ...(zone && { labels: { zone } }), spec: more })

const constraint = (more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: 'zone',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
  ...more,
})

let index = 0
const web = (spec: Partial<PodSpec> = {}, deleting = false) =>
  pod(`web-${index++}`, { labels: { app: 'web' }, spec, deleting })
const spread = (more?: Partial<TopologySpreadConstraint>, spec: Partial<PodSpec> = {}) =>
  web({ ...spec, topologySpreadConstraints: [constraint(more)] })

const MISMATCH = "node(s) didn't match pod topology spread constraints"

test('a domain does not get further ahead than maxSkew', () => {
  const world = () => new World([zoned('a1', 'a'), zoned('a2', 'a'), zoned('b1', 'b')])
  assert.deepEqual(world().with('a1', web()).fitting(spread()), ['b1'])
  assert.deepEqual(
    world()
      .with('a1', web())
      .fitting(spread({ maxSkew: 2 })),
    ['a1', 'a2', 'b1'],
  )
  assert.deepEqual(world().with('a1', web()).with('b1', web()).fitting(spread()), ['a1', 'a2', 'b1'])
})

test('a node without the label is no place at all', () => {
  const world = new World([zoned('none'), zoned('a1', 'a')]).with('a1', web(), web())
  assert.equal(world.place(spread()), 'a1', 'the only domain is always the emptiest')
  assert.equal(
    new World([zoned('none')]).place(spread()),
    `0/1 nodes are available: 1 ${MISMATCH} (missing required label).`,
  )
})

test('with fewer domains than asked for, the missing ones count as empty', () => {
  const world = new World([zoned('a1', 'a'), zoned('b1', 'b')]).with('a1', web()).with('b1', web())
  assert.equal(world.place(spread({ minDomains: 3 })), `0/2 nodes are available: 2 ${MISMATCH}.`)
  assert.deepEqual(world.fitting(spread({ minDomains: 2 })), ['a1', 'b1'])
})

test('Pods of other namespaces, other labels and on their way out do not count', () => {
  const world = new World([zoned('a1', 'a'), zoned('b1', 'b')])
  world.with('a1', web({}, true), pod('x', { namespace: 'other', labels: { app: 'web' } }), pod('y'))
  assert.deepEqual(world.fitting(spread()), ['a1', 'b1'])
})

test('nodes that the Pod cannot go to by its selector are not in the picture, unless it says so', () => {
  const nodes = () => [node('a1', { labels: { zone: 'a', disk: 'ssd' } }), zoned('b1', 'b')]
  const candidate = (nodeAffinityPolicy?: 'Ignore') =>
    spread({ ...(nodeAffinityPolicy && { nodeAffinityPolicy }) }, { nodeSelector: { disk: 'ssd' } })
  assert.deepEqual(new World(nodes()).with('a1', web()).fitting(candidate()), ['a1'])
  assert.deepEqual(new World(nodes()).with('a1', web()).fitting(candidate('Ignore')), [])
})

test('nodes with taints are in the picture, unless the Pod says otherwise', () => {
  const taints = [{ key: 'k', effect: 'NoSchedule' as const }]
  const world = () => new World([zoned('a1', 'a'), zoned('b1', 'b', { taints })]).with('a1', web())
  assert.deepEqual(world().fitting(spread()), [])
  assert.deepEqual(world().fitting(spread({ nodeTaintsPolicy: 'Honor' })), ['a1'])
})

test('all constraints have to hold', () => {
  const world = new World([zoned('a1', 'a'), zoned('a2', 'a'), zoned('b1', 'b')])
    .with('a1', web())
    .with('b1', web())
  const constraints = [constraint(), constraint({ topologyKey: 'kubernetes.io/hostname' })]
  assert.deepEqual(world.fitting(web({ topologySpreadConstraints: constraints })), ['a2'])
})

test('a wish to spread scores the emptier domain higher', () => {
  const world = new World([zoned('a1', 'a'), zoned('a2', 'a'), zoned('b1', 'b'), zoned('none')])
  world.with('a1', web(), web()).with('b1', web())
  const scores = world.scores(spread({ whenUnsatisfiable: 'ScheduleAnyway' }), podTopologySpread)
  assert.deepEqual(scores, { a1: 66, a2: 66, b1: 200, none: 0 })
})

test('Pods of a Service or controller spread over nodes without asking', () => {
  const nodes = [zoned('a1', 'a'), zoned('a2', 'a')]
  const siblings = new World(nodes, { siblingsOf: () => labelled({ app: 'web' }) }).with('a1', web())
  const scores = siblings.scores(web(), podTopologySpread)
  assert.ok(scores.a2! > scores.a1!)
  assert.deepEqual(new World(nodes).with('a1', web()).scores(web(), podTopologySpread), { a1: 0, a2: 0 })
})

test('a change of the cluster is looked at only when it concerns the constraints', () => {
  const candidate = spread()
  const helps = (event: Parameters<NonNullable<typeof podTopologySpread.mayHelp>>[0]) =>
    podTopologySpread.mayHelp!(event, candidate)
  assert.equal(helps({ what: 'podAssigned', pod: web() }), true)
  assert.equal(helps({ what: 'podAssigned', pod: pod('x') }), false)
  assert.equal(helps({ what: 'nodeAdded', node: zoned('c1', 'c') }), true)
  assert.equal(helps({ what: 'nodeGone', node: zoned('c1', 'c') }), true)
  assert.equal(helps({ what: 'nodeAdded', node: zoned('none') }), false)
})
