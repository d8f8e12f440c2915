import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import { deployment, replicaSet } from '../testing/workload-objects.fixture.ts'
import { emptyOld, isScalingEvent, type Scaling, type Sets, scaleRolling, scaleStanding } from './scaling.ts'

const rolling = (replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment =>
  deployment({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } })

/** 'web-2: 3 → 5' */
const shown = (steps: readonly Scaling[]) =>
  steps.map(({ replicaSet: { metadata }, from, to }) => `${metadata.name}: ${from} → ${to}`)

const named = (name: string, size: number, available = size, created = '2026-01-01T00:00:00Z') =>
  replicaSet(name, size, available, { creationTimestamp: created })

const rollingSteps: Record<
  string,
  { of: Deployment; newest: ReplicaSet; old: ReplicaSet[]; steps: string[] }
> = {
  'the new set grows as far as surge lets it': {
    of: rolling(10, '25%', '25%'),
    newest: named('new', 0),
    old: [named('old', 10)],
    steps: ['new: 0 → 3'],
  },
  'without surge old Pods go first': {
    of: rolling(10, 0, 2),
    newest: named('new', 0),
    old: [named('old', 10)],
    steps: ['old: 10 → 8'],
  },
  'old Pods stay while the new ones are not available': {
    of: rolling(10, '25%', 0),
    newest: named('new', 3, 0),
    old: [named('old', 10)],
    steps: [],
  },
  'as many old Pods go as new ones have become available': {
    of: rolling(10, 3, 0),
    newest: named('new', 3, 2),
    old: [named('old', 10)],
    steps: ['old: 10 → 8'],
  },
  'old Pods that serve nobody go first, and the others as far as enough stay': {
    of: rolling(10, 0, 2),
    newest: named('new', 0),
    old: [named('old-1', 5, 4, '2026-01-01T00:00:00Z'), named('old-2', 5, 5, '2026-01-02T00:00:00Z')],
    steps: ['old-1: 5 → 4', 'old-1: 4 → 3'],
  },
  'the oldest sets go first': {
    of: rolling(4, 1, 1),
    newest: named('new', 2, 2),
    old: [named('young', 2, 2, '2026-01-02T00:00:00Z'), named('oldest', 1, 1)],
    steps: ['oldest: 1 → 0', 'young: 2 → 1'],
  },
  'a new set that is too large shrinks': {
    of: rolling(3, 1, 1),
    newest: named('new', 5),
    old: [],
    steps: ['new: 5 → 3'],
  },
  'nothing is left to do at the end': {
    of: rolling(3, 1, 1),
    newest: named('new', 3),
    old: [named('old', 0)],
    steps: [],
  },
}

for (const [title, { of, newest, old, steps }] of Object.entries(rollingSteps)) {
  test(`rolling: ${title}`, () => assert.deepEqual(shown(scaleRolling(of, { newest, old })), steps))
}

const told = (set: ReplicaSet, desired: number, most: number): ReplicaSet => ({
  ...set,
  metadata: {
    ...set.metadata,
    annotations: {
      'deployment.kubernetes.io/desired-replicas': String(desired),
      'deployment.kubernetes.io/max-replicas': String(most),
    },
  },
})

const standing: Record<string, { of: Deployment; sets: Sets; steps: string[] }> = {
  'the only set with Pods gets all': {
    of: rolling(5, 1, 1),
    sets: { newest: named('new', 3), old: [named('old', 0)] },
    steps: ['new: 3 → 5'],
  },
  'without a set with Pods the newest gets them': {
    of: rolling(5, 1, 1),
    sets: { newest: undefined, old: [named('older', 0), named('younger', 0, 0, '2026-01-02T00:00:00Z')] },
    steps: ['younger: 0 → 5'],
  },
  'a new set that has all Pods empties the others': {
    of: rolling(5, 1, 1),
    sets: { newest: told(named('new', 5), 5, 6), old: [named('old', 2), named('other', 1)] },
    steps: ['old: 2 → 0', 'other: 1 → 0'],
  },
  'in the middle of a rollout each set grows by its share': {
    of: rolling(20, 0, 5),
    sets: { newest: told(named('new', 5), 10, 10), old: [told(named('old', 5), 10, 10)] },
    steps: ['new: 5 → 10', 'old: 5 → 10'],
  },
  'what rounding leaves over goes to the largest': {
    of: rolling(6, 0, 5),
    sets: {
      newest: told(named('new', 2, 2, '2026-01-02T00:00:00Z'), 5, 5),
      old: [told(named('old', 3), 5, 5)],
    },
    steps: ['old: 3 → 4', 'new: 2 → 2'],
  },
  'each shrinks by its share': {
    of: rolling(5, 0, 5),
    sets: { newest: told(named('new', 4), 10, 10), old: [told(named('old', 6), 10, 10)] },
    steps: ['old: 6 → 3', 'new: 4 → 2'],
  },
  'with Recreate nothing is shared': {
    of: deployment({ replicas: 5, strategy: { type: 'Recreate' } }),
    sets: { newest: told(named('new', 2), 3, 3), old: [told(named('old', 1), 3, 3)] },
    steps: [],
  },
}

for (const [title, { of, sets, steps }] of Object.entries(standing)) {
  test(`standing: ${title}`, () => assert.deepEqual(shown(scaleStanding(of, sets)), steps))
}

test('a change of size is seen by what the sets were told', () => {
  const sets = { newest: told(named('new', 3), 3, 4), old: [] }
  assert.equal(isScalingEvent(rolling(3, 1, 1), sets), false)
  assert.equal(isScalingEvent(rolling(4, 1, 1), sets), true)
  assert.equal(isScalingEvent(rolling(4, 1, 1), { newest: told(named('new', 0), 3, 4), old: [] }), false)
})

test('Recreate empties every old set that has Pods', () => {
  const sets = { newest: named('new', 0), old: [named('a', 2), named('b', 0), named('c', 1)] }
  assert.deepEqual(shown(emptyOld(sets)), ['a: 2 → 0', 'c: 1 → 0'])
})
