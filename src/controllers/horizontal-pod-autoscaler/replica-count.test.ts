import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
} from './replica-count.ts'

const tolerances = { scaleUp: 0.1, scaleDown: 0.1 }

interface Case {
  current: number
  /** Of the pods a, b, c …; undefined: no figure. */
  values: (number | undefined)[]
  unready?: string
  ignored?: string
  /** Of each pod. */
  request?: number
  target: number
  tolerance?: number
  expected: [replicas: number, average: number, utilization?: number] | string
}

const byUtilization: Record<string, Case> = {
  'half of the target halves them': {
    current: 4,
    values: [100, 100, 100, 100],
    target: 20,
    expected: [2, 100, 10],
  },
  'more than the target makes more': {
    current: 3,
    values: [300, 500, 700],
    target: 30,
    expected: [5, 500, 50],
  },
  'close to the target nothing changes': {
    current: 3,
    values: [309, 309, 309],
    target: 30,
    expected: [3, 309, 30],
  },
  'unless the tolerance is smaller': {
    current: 3,
    values: [315, 315, 315],
    target: 30,
    tolerance: 0.01,
    expected: [4, 315, 31],
  },
  'a pod that is not ready counts as idle when there would be more': {
    current: 3,
    values: [300, 500, 700],
    unready: 'a',
    target: 30,
    expected: [4, 600, 60],
  },
  'and not at all when there would be fewer': {
    current: 3,
    values: [900, 100, 100],
    unready: 'a',
    target: 20,
    expected: [1, 100, 10],
  },
  'a missing one counts as idle when there would be more': {
    current: 4,
    values: [undefined, 600, 600, 600],
    target: 40,
    expected: [5, 600, 60],
  },
  'and as fully used when there would be fewer': {
    current: 4,
    values: [undefined, 100, 100, 100],
    target: 50,
    expected: [3, 100, 10],
  },
  'or as on target, where that is above all it asks for': {
    current: 2,
    values: [undefined, 1000],
    target: 200,
    expected: [2, 1000, 100],
  },
  'the direction does not turn': {
    current: 2,
    values: [undefined, 1000],
    target: 60,
    expected: [2, 1000, 100],
  },
  'those that go do not count': {
    current: 2,
    values: [100, 900],
    ignored: 'b',
    target: 20,
    expected: [1, 100, 10],
  },
  'without figures nothing is said': {
    current: 2,
    values: [undefined, undefined],
    target: 20,
    expected: 'did not receive metrics for any ready pods',
  },
}

for (const [title, { expected, request = 1_000, ...given }] of Object.entries(byUtilization)) {
  test(`percentages: ${title}`, () => {
    const requests = new Map(given.values.map((_, index) => [nameOf(index), request]))
    const judge = () => replicasForUtilization(measuredOf(given), given.target, requests)
    if (typeof expected === 'string') assert.throws(judge, { message: expected })
    else {
      const { replicas, average, utilization } = judge()
      assert.deepEqual([replicas, average, utilization], expected)
    }
  })
}

const byAverage: Record<string, Case> = {
  'more than the target makes more': { current: 3, values: [20, 10, 30], target: 15, expected: [4, 20] },
  'less makes fewer': { current: 5, values: [10, 10, 10, 10, 10], target: 20, expected: [3, 10] },
  'a missing one is on target when there would be fewer': {
    current: 4,
    values: [undefined, 10, 10, 10],
    target: 20,
    expected: [3, 10],
  },
  'and has nothing when there would be more': {
    current: 3,
    values: [undefined, 50, 10],
    target: 20,
    expected: [3, 30],
  },
}

for (const [title, { expected, ...given }] of Object.entries(byAverage)) {
  test(`averages: ${title}`, () => {
    const { replicas, average } = replicasForAverage(measuredOf(given), given.target)
    assert.deepEqual([replicas, average], expected)
  })
}

test('one value for all asks for as many as are ready, times what is too much', () => {
  assert.equal(replicasForValue(3, 2, 3, tolerances), 6)
  assert.equal(replicasForValue(3, 1.05, 3, tolerances), 3)
  assert.equal(replicasForValue(0, 2.5, 0, tolerances), 3)
})

test('a share for each asks for as many as have enough of it', () => {
  assert.deepEqual(replicasForShare(2, 3_600, 600, tolerances), { replicas: 6, average: 1_800 })
  assert.deepEqual(replicasForShare(6, 3_500, 600, tolerances), { replicas: 6, average: 584 })
})

const nameOf = (index: number) => String.fromCharCode(97 + index)

function measuredOf({ current, values, unready, ignored, tolerance = 0.1 }: Omit<Case, 'expected'>) {
  const metrics = new Map(
    values.flatMap((value, index) =>
      value === undefined ? [] : [[nameOf(index), { value, at: 0, windowMs: 0 }] as const],
    ),
  )
  const names = values.map((_, index) => nameOf(index))
  const missing = new Set(names.filter((_, index) => values[index] === undefined))
  const others = names.filter(name => !missing.has(name) && name !== unready && name !== ignored)
  const groups = {
    readyCount: others.length,
    missing,
    unready: new Set(unready ? [unready] : []),
    ignored: new Set(ignored ? [ignored] : []),
  }
  return { current, metrics, groups, tolerances: { scaleUp: tolerance, scaleDown: tolerance } }
}
