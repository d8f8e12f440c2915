import assert from 'node:assert/strict'
import test from 'node:test'
import { files, MI, NONE, usage } from '../testing/eviction.fixture.ts'
import type { PodUsage } from './pod-usage.ts'
import { rankPods } from './rank-pods.ts'

const orders: [string, PodUsage[], string[]][] = [
  [
    'those that use more than they asked for go first, whatever their priority',
    [
      usage('modest', 50 * MI, { request: '100Mi' }),
      usage('greedy', 50 * MI, { request: '10Mi', priority: 9 }),
    ],
    ['greedy', 'modest'],
  ],
  ['then those of least priority', [usage('a', 20 * MI, { priority: 5 }), usage('b', 10 * MI)], ['b', 'a']],
  ['then the largest', [usage('small', 10 * MI), usage('large', 20 * MI)], ['large', 'small']],
]

for (const [what, pods, expected] of orders) {
  test(`of pods to evict, ${what}`, () => {
    assert.deepEqual(
      rankPods(pods, 'memory.available', false).map(({ pod }) => pod.metadata.name),
      expected,
    )
  })
}

test('a pod of which nothing is known goes first; inodes and processes have orders of their own', () => {
  const unknown = usage('unknown', 0, { containers: [], priority: 9 })
  const named = (list: PodUsage[]) => list.map(({ pod }) => pod.metadata.name)
  assert.deepEqual(named(rankPods([usage('known', MI), unknown], 'memory.available', false)), [
    'unknown',
    'known',
  ])
  const withFiles = (name: string, root: number, volumes: number) =>
    usage(name, 0, {
      containers: [{ name: 'app', memory: 0, rootfs: files(0, root), logs: NONE }],
      emptyDirs: { v: files(0, volumes) },
    })
  const pods = [withFiles('few', 1, 20), withFiles('many', 100, 2)]
  assert.deepEqual(named(rankPods(pods, 'nodefs.inodesFree', false)), ['many', 'few'])
  assert.deepEqual(named(rankPods(pods, 'nodefs.inodesFree', true)), ['few', 'many'])
  assert.deepEqual(named(rankPods(pods, 'imagefs.inodesFree', true)), ['many', 'few'])
  const forking = [
    usage('calm', 0, { processes: 1 }),
    usage('forks', 0, { processes: 50 }),
    usage('important', 0, { processes: 99, priority: 5 }),
  ]
  assert.deepEqual(named(rankPods(forking, 'pid.available', false)), ['forks', 'calm', 'important'])
})
