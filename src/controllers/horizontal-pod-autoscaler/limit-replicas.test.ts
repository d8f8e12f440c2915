import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HPAScalingRules } from '../../api/types/autoscaling-v2.ts'
import { limitReplicas } from './limit-replicas.ts'
import { firstMemory, type ScalingMemory, withChange, withRecommendation } from './scaling-memory.ts'

const NOW = 10_000_000
const SECOND = 1_000

interface Case {
  current: number
  desired: number
  max?: number
  up?: HPAScalingRules
  down?: HPAScalingRules
  /** What was asked for before: replicas, seconds ago. */
  asked?: [number, number][]
  /** What was done: by how many, seconds ago. */
  changed?: [number, number][]
  expected: [replicas: number, able: string, limited: string, isLimited: boolean]
}

const plain: Record<string, Case> = {
  'what is asked for is done': {
    current: 2,
    desired: 3,
    expected: [3, 'ReadyForNewScale', 'DesiredWithinRange', false],
  },
  'not more than the most': {
    current: 4,
    desired: 8,
    max: 5,
    expected: [5, 'ReadyForNewScale', 'TooManyReplicas', true],
  },
  'not fewer than the least': {
    current: 4,
    desired: 1,
    expected: [2, 'ReadyForNewScale', 'TooFewReplicas', true],
  },
  'not more than twice as many at once': {
    current: 10,
    desired: 30,
    max: 100,
    expected: [20, 'ReadyForNewScale', 'ScaleUpLimit', true],
  },
  'four may be reached at once': {
    current: 1,
    desired: 9,
    expected: [4, 'ReadyForNewScale', 'ScaleUpLimit', true],
  },
  'fewer only when nothing else was asked for in the window': {
    current: 5,
    desired: 3,
    asked: [[5, 200]],
    expected: [5, 'ScaleDownStabilized', 'DesiredWithinRange', false],
  },
  'after the window at once': {
    current: 5,
    desired: 3,
    asked: [[5, 301]],
    expected: [3, 'ReadyForNewScale', 'DesiredWithinRange', false],
  },
}

const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds })
const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds })
const up = (...policies: HPAScalingRules['policies'] & object) => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies,
})
const down = up

const byRules: Record<string, Case> = {
  'not more pods than a policy allows': {
    current: 3,
    desired: 9,
    up: up(pods(2)),
    expected: [5, 'ReadyForNewScale', 'ScaleUpLimit', true],
  },
  'the most generous policy counts': {
    current: 3,
    desired: 9,
    up: up(pods(2), percent(100)),
    expected: [6, 'ReadyForNewScale', 'ScaleUpLimit', true],
  },
  'or the least, when the autoscaler says so': {
    current: 3,
    desired: 9,
    up: { ...up(pods(2), percent(100)), selectPolicy: 'Min' },
    expected: [5, 'ReadyForNewScale', 'ScaleUpLimit', true],
  },
  'what came within the period counts': {
    current: 5,
    desired: 9,
    up: up(pods(2)),
    changed: [[2, 30]],
    expected: [5, 'ReadyForNewScale', 'ScaleUpLimit', true],
  },
  'what came before it does not': {
    current: 5,
    desired: 9,
    up: up(pods(2)),
    changed: [[2, 61]],
    expected: [7, 'ReadyForNewScale', 'ScaleUpLimit', true],
  },
  'what went within the period may come back': {
    current: 4,
    desired: 9,
    up: up(pods(2)),
    changed: [[-3, 30]],
    expected: [9, 'ReadyForNewScale', 'DesiredWithinRange', false],
  },
  'a direction can be forbidden': {
    current: 5,
    desired: 3,
    down: { ...down(percent(100)), selectPolicy: 'Disabled' },
    expected: [5, 'ReadyForNewScale', 'ScaleDownLimit', true],
  },
  'not fewer than a policy allows': {
    current: 8,
    desired: 2,
    down: down(percent(25)),
    expected: [6, 'ReadyForNewScale', 'ScaleDownLimit', true],
  },
  'more only when that was asked for all the time': {
    current: 3,
    desired: 6,
    up: { ...up(percent(100)), stabilizationWindowSeconds: 60 },
    asked: [[4, 30]],
    expected: [4, 'ScaleUpStabilized', 'DesiredWithinRange', false],
  },
  'nor fewer': {
    current: 6,
    desired: 2,
    down: { ...down(percent(100)), stabilizationWindowSeconds: 60 },
    asked: [[5, 30]],
    expected: [5, 'ScaleDownStabilized', 'DesiredWithinRange', false],
  },
  'without a window of its own the usual one counts': {
    current: 6,
    desired: 2,
    down: { selectPolicy: 'Max', policies: [percent(100)] },
    asked: [[6, 200]],
    expected: [6, 'ScaleDownStabilized', 'DesiredWithinRange', false],
  },
}

for (const [title, given] of Object.entries(plain)) test(`without rules: ${title}`, () => check(given))

for (const [title, given] of Object.entries(byRules))
  test(`with rules: ${title}`, () =>
    check({ ...given, up: given.up ?? up(percent(100)), down: given.down ?? down(percent(100)) }))

function check({ current, desired, max = 10, up, down, asked = [], changed = [], expected }: Case): void {
  let memory: ScalingMemory = { ...firstMemory(desired, 0), recommendations: [] }
  for (const [replicas, ago] of asked)
    memory = withRecommendation(memory, replicas, 3_600 * SECOND, NOW - ago * SECOND)
  for (const [by, ago] of changed)
    memory = withChange(memory, { before: 10, after: 10 + by, rules: up ?? {}, now: NOW - ago * SECOND })
  const { replicas, judgements } = limitReplicas({
    current,
    desired,
    min: 2,
    max,
    ...(up && down && { behavior: { scaleUp: up, scaleDown: down } }),
    stabilizationMs: 300 * SECOND,
    memory,
    now: NOW,
  })
  const [able, limited] = judgements
  assert.deepEqual([replicas, able?.reason, limited?.reason, limited?.status === 'True'], expected)
}

test('what is asked for is remembered, and forgotten after the window', () => {
  const base = { current: 3, min: 1, max: 10, stabilizationMs: 300 * SECOND }
  const first = limitReplicas({ ...base, desired: 3, memory: firstMemory(3, NOW), now: NOW })
  const later = limitReplicas({ ...base, desired: 1, memory: first.memory, now: NOW + 299 * SECOND })
  assert.equal(later.replicas, 3)
  const last = limitReplicas({ ...base, desired: 1, memory: later.memory, now: NOW + 302 * SECOND })
  assert.equal(last.replicas, 1)
  assert.deepEqual(
    last.memory.recommendations.map(({ replicas }) => replicas),
    [1, 1],
  )
})
