// Tables of the small rules that Jobs are made of.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { IndexSet } from './index-set.ts'
import { nextRecord, remainingMs } from './pod-back-off.ts'
import { podsForRemoval } from './rank-for-removal.ts'
import { matchSuccessPolicy } from './success-policy.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString()

const texts: [string, number[], string][] = [
  ['nothing', [], ''],
  ['one', [4], '4'],
  ['two in a row', [4, 5], '4,5'],
  ['three in a row', [5, 3, 4], '3-5'],
  ['gaps', [9, 0, 1, 2, 7, 8], '0-2,7-9'],
]

for (const [what, indexes, text] of texts) {
  test(`indexes are written as ranges: ${what}`, () => {
    const set = IndexSet.of(indexes)
    assert.equal(set.toString(), text)
    assert.equal(IndexSet.parse(text, 10).toString(), text)
    assert.equal(set.size, indexes.length)
  })
}

test('indexes beyond the completions are left out when they are read', () => {
  assert.equal(IndexSet.parse('0,2-9,12', 5).toString(), '0,2-4')
  assert.deepEqual(IndexSet.parse('0,2-4', 9).firstMissing(3, 9), [1, 5, 6])
  assert.equal(IndexSet.parse('0-4', 9).overlap(IndexSet.parse('3-7', 9)), 2)
})

function pod(
  name: string,
  {
    ended,
    phase = 'Running',
    index,
    ready = false,
    node = 'n',
  }: Partial<{
    ended: number
    phase: string
    index: number
    ready: boolean
    node: string
  }> = {},
): Pod {
  const state = ended === undefined ? {} : { terminated: { exitCode: 1, finishedAt: at(ended) } }
  const annotations = index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) }
  return {
    metadata: { name, uid: name, creationTimestamp: at(0), annotations },
    spec: { nodeName: node, containers: [] },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'main', restartCount: 0, state }],
    },
  } as unknown as Pod
}

const fresh = { failuresAfterLastSuccess: 0 }
const records: [string, Pod[], Pod[], number, number][] = [
  ['no failure', [], [], 0, 0],
  ['one failure', [], [pod('a', { ended: 5 })], 5, 10_000],
  ['three failures double twice', [], [1, 2, 3].map(s => pod(`p${s}`, { ended: s })), 3, 40_000],
  [
    'only failures after the newest success count',
    [pod('s', { ended: 4 })],
    [2, 6].map(s => pod(`p${s}`, { ended: s })),
    6,
    10_000,
  ],
  ['a success after them all clears them', [pod('s', { ended: 9 })], [pod('p', { ended: 6 })], 9, 0],
  [
    'ten minutes are the most',
    [],
    Array.from({ length: 12 }, (_, n) => pod(`p${n}`, { ended: 0 })),
    0,
    600_000,
  ],
]

for (const [what, succeeded, failed, after, wait] of records) {
  test(`back-off: ${what}`, () => {
    assert.equal(remainingMs(nextRecord(fresh, succeeded, failed), START + after * 1_000), wait)
  })
}

test('back-off: what is over is not waited for', () => {
  const record = nextRecord(fresh, [], [pod('p', { ended: 0 })])
  assert.equal(remainingMs(record, START + 10_001), 0)
})

const job = (spec: object) => ({ spec: { completionMode: 'NonIndexed', ...spec } }) as unknown as Job

test('of too many Pods those that are least far go first', () => {
  const list = [
    pod('ready', { ready: true }),
    pod('running'),
    pod('pending', { phase: 'Pending' }),
    pod('unscheduled', { phase: 'Pending', node: '' }),
  ]
  const names = (count: number) => podsForRemoval(job({}), list, count).map(({ metadata }) => metadata.name)
  assert.deepEqual(names(3), ['unscheduled', 'pending', 'running'])
  assert.deepEqual(names(0), [])
})

test('of an Indexed Job, doubles and Pods without a valid index go in any case', () => {
  const list = [
    pod('zero', { index: 0, ready: true }),
    pod('double', { index: 0 }),
    pod('beyond', { index: 7 }),
    pod('none'),
    pod('one', { index: 1 }),
  ]
  const indexed = job({ completionMode: 'Indexed', completions: 2 })
  const names = podsForRemoval(indexed, list, 0).map(({ metadata }) => metadata.name)
  assert.deepEqual(names.sort(), ['beyond', 'double', 'none'])
})

const policies: [object[], string, string | undefined][] = [
  [[{ succeededCount: 2 }], '0', undefined],
  [[{ succeededCount: 2 }], '0,3', 'Matched rules at index 0'],
  [[{ succeededIndexes: '0-1' }], '0', undefined],
  [[{ succeededIndexes: '0-1' }], '0-2', 'Matched rules at index 0'],
  [[{ succeededIndexes: '0-1', succeededCount: 1 }], '1', 'Matched rules at index 0'],
  [[{ succeededIndexes: '3' }, { succeededCount: 1 }], '1', 'Matched rules at index 1'],
]

for (const [rules, succeeded, expected] of policies) {
  test(`success policy ${JSON.stringify(rules)} with ${succeeded}: ${expected ?? 'not yet'}`, () => {
    const indexed = job({ completionMode: 'Indexed', completions: 5, successPolicy: { rules } })
    assert.equal(matchSuccessPolicy(indexed, IndexSet.parse(succeeded, 5)), expected)
  })
}
