import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../api/types/core-v1.ts'
import { feasibleEnough } from './schedule-one.ts'
import { node, pod, World } from './testing/scheduling.fixture.ts'

const named = (...names: string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: names.map(name => ({
          matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [name] }],
        })),
      },
    },
  },
})

test('a Pod goes to the emptier node', () => {
  const world = new World([node('busy'), node('free')])
  world.with('busy', pod('p', { requests: { cpu: '1', memory: '2Gi' } }))
  assert.equal(world.place(pod('new', { requests: { cpu: '100m' } })), 'free')
})

const NONE = '0/2 nodes are available: '
const failures: Record<string, [Pod, string]> = {
  'each reason is counted': [pod('p', { requests: { cpu: '3' } }), `${NONE}2 Insufficient cpu.`],
  'several reasons of one node are all told': [
    pod('p', { requests: { cpu: '3', memory: '5Gi', 'example.com/gpu': '1' } }),
    `${NONE}2 Insufficient cpu, 2 Insufficient example.com/gpu, 2 Insufficient memory.`,
  ],
  'nodes that a Pod does not name are told apart': [
    pod('p', { requests: { cpu: '3' }, spec: named('a') }),
    `${NONE}1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].`,
  ],
  'a Pod that names no node of the cluster': [
    pod('p', { spec: named('gone') }),
    `${NONE}2 node(s) didn't satisfy plugin(s) [NodeAffinity].`,
  ],
}
for (const [what, [candidate, expected]] of Object.entries(failures)) {
  test(what, () => assert.equal(new World([node('a'), node('b')]).place(candidate), expected))
}

test('without nodes there is nothing to tell', () => {
  assert.equal(new World([]).place(pod('p')), 'no nodes available to schedule pods')
})

test('a Pod that was promised a node goes there as soon as it fits, however good others are', () => {
  const world = new World([node('busy'), node('free')])
  world.with('busy', pod('p', { requests: { cpu: '1' } }))
  const waiting = pod('waiting', { requests: { cpu: '1' } })
  world.nominated.set(waiting, 'busy')
  assert.equal(world.place(waiting), 'busy')
})

test('room that is promised to a Pod is not given to one of lower or equal priority', () => {
  const world = new World([node('a')])
  world.nominated.set(pod('promised', { requests: { cpu: '2' }, spec: { priority: 10 } }), 'a')
  const asks = (priority: number) => world.place(pod('p', { requests: { cpu: '1' }, spec: { priority } }))
  assert.equal(asks(10), '0/1 nodes are available: 1 Insufficient cpu.')
  assert.equal(asks(11), 'a')
})

test('a node has to do with and without those that were promised it', () => {
  const world = new World([node('a')])
  const app = { app: 'web' }
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: app } }
  const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  world.nominated.set(pod('promised', { labels: app, spec: { priority: 10 } }), 'a')
  assert.match(world.place(pod('p', { spec: { affinity } })), /didn't match pod affinity rules/)
})

test('in a big cluster only some nodes are looked at, and the next Pod starts after them', () => {
  assert.deepEqual(
    [0, 99, 100, 200, 1_000, 5_000, 20_000].map(feasibleEnough),
    [0, 99, 100, 100, 420, 500, 1_000],
  )
  const world = new World(Array.from({ length: 250 }, (_, index) => node(`n${index}`)))
  const { looked } = world.placement(pod('p'))
  assert.equal(looked, feasibleEnough(250))
  assert.equal(world.placement(pod('q'), looked).looked, looked)
})
