import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../api/types/apps-v1.ts'
import { deployment, replicaSet } from '../testing/workload-objects.fixture.ts'
import { isComplete, pausedCondition, progressCheckMs, rolloutStatus } from './deployment-status.ts'
import type { Sets } from './scaling.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const at = (seconds: number) => START + seconds * 1_000
const time = (seconds: number) => new Date(at(seconds)).toISOString().replace('.000', '')

const progressing = (
  status: string,
  reason: string,
  updatedAt = 0,
  changedAt = updatedAt,
): DeploymentCondition => ({
  type: 'Progressing',
  status,
  reason,
  message: '',
  lastUpdateTime: time(updatedAt),
  lastTransitionTime: time(changedAt),
})

const of = (replicas: number, status: DeploymentStatus = {}, spec: Partial<Deployment['spec']> = {}) =>
  deployment({ replicas, progressDeadlineSeconds: 60, ...spec }, status)

const conditionOf = (status: DeploymentStatus, type: string) =>
  status.conditions!.find(one => one.type === type)

const newest = (size: number, available: number) => replicaSet('web-new', size, available)
const old = (size: number, available = size) => [replicaSet('web-old', size, available)]

interface Case {
  of: Deployment
  sets: Sets
  after?: number
  expected: { status: string; reason: string; message: string } | undefined
}

const UPDATED = {
  status: 'True',
  reason: 'ReplicaSetUpdated',
  message: 'ReplicaSet "web-new" is progressing.',
}
const DONE = {
  status: 'True',
  reason: 'NewReplicaSetAvailable',
  message: 'ReplicaSet "web-new" has successfully progressed.',
}
const LATE = {
  status: 'False',
  reason: 'ProgressDeadlineExceeded',
  message: 'ReplicaSet "web-new" has timed out progressing.',
}

const cases: Record<string, Case> = {
  'more updated Pods are progress': {
    of: of(3, { conditions: [progressing('True', 'NewReplicaSetCreated')] }),
    sets: { newest: newest(1, 0), old: old(3) },
    expected: UPDATED,
  },
  'fewer old Pods are progress': {
    of: of(3, {
      replicas: 4,
      updatedReplicas: 1,
      readyReplicas: 4,
      availableReplicas: 4,
      conditions: [progressing('True', 'ReplicaSetUpdated')],
    }),
    sets: { newest: newest(1, 1), old: old(2) },
    expected: UPDATED,
  },
  'no progress within the deadline changes nothing': {
    of: of(3, {
      replicas: 4,
      updatedReplicas: 1,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: [progressing('True', 'ReplicaSetUpdated')],
    }),
    sets: { newest: newest(1, 0), old: old(3) },
    after: 59,
    expected: { status: 'True', reason: 'ReplicaSetUpdated', message: '' },
  },
  'no progress beyond the deadline is a failure': {
    of: of(3, {
      replicas: 4,
      updatedReplicas: 1,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: [progressing('True', 'ReplicaSetUpdated')],
    }),
    sets: { newest: newest(1, 0), old: old(3) },
    after: 61,
    expected: LATE,
  },
  'all Pods of the new template and available: done': {
    of: of(3, { replicas: 4, updatedReplicas: 3, conditions: [progressing('True', 'ReplicaSetUpdated')] }),
    sets: { newest: newest(3, 3), old: old(0) },
    expected: DONE,
  },
  'a rollout that was late may still be done': {
    of: of(3, { conditions: [progressing('False', 'ProgressDeadlineExceeded')] }),
    sets: { newest: newest(3, 3), old: [] },
    after: 500,
    expected: DONE,
  },
  'Pods lost after the end are no lack of progress': {
    of: of(3, {
      replicas: 3,
      updatedReplicas: 3,
      conditions: [progressing('True', 'NewReplicaSetAvailable')],
    }),
    sets: { newest: newest(3, 0), old: [] },
    after: 500,
    expected: { status: 'True', reason: 'NewReplicaSetAvailable', message: '' },
  },
  'without a deadline nothing is told of progress': {
    of: of(
      3,
      { conditions: [progressing('True', 'ReplicaSetUpdated')] },
      { progressDeadlineSeconds: 2_147_483_647 },
    ),
    sets: { newest: newest(1, 0), old: old(3) },
    expected: undefined,
  },
}

for (const [title, { of, sets, after = 5, expected }] of Object.entries(cases)) {
  test(`progress: ${title}`, () => {
    const condition = conditionOf(rolloutStatus(of, sets, at(after)), 'Progressing')
    const told = condition && {
      status: condition.status,
      reason: condition.reason,
      message: condition.message,
    }
    assert.deepEqual(told, expected)
  })
}

test('progress notes its time and keeps when the condition became true', () => {
  const before = of(3, { conditions: [progressing('True', 'ReplicaSetUpdated', 10, 3)] })
  const status = rolloutStatus(before, { newest: newest(1, 0), old: old(3) }, at(20))
  const { lastUpdateTime, lastTransitionTime } = conditionOf(status, 'Progressing')!
  assert.deepEqual([lastUpdateTime, lastTransitionTime], [time(20), time(3)])
})

test('it is available as long as no more than maxUnavailable are missing', () => {
  const rolling = { type: 'RollingUpdate' as const, rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }
  const availability = (available: number) =>
    conditionOf(
      rolloutStatus(of(3, {}, { strategy: rolling }), { newest: newest(3, available), old: [] }, START),
      'Available',
    )
  assert.equal(availability(2)!.reason, 'MinimumReplicasAvailable')
  assert.equal(availability(2)!.message, 'Deployment has minimum availability.')
  assert.equal(availability(1)!.reason, 'MinimumReplicasUnavailable')
  assert.equal(availability(1)!.message, 'Deployment does not have minimum availability.')
})

test('a failure to create Pods is passed on, the new set’s first', () => {
  const failing = (name: string, message: string) => ({
    ...replicaSet(name, 1, 0),
    status: {
      replicas: 0,
      conditions: [
        {
          type: 'ReplicaFailure',
          status: 'True',
          reason: 'FailedCreate',
          message,
          lastTransitionTime: time(1),
        },
      ],
    },
  })
  const sets = { newest: failing('web-new', 'quota'), old: [failing('web-old', 'other')] }
  const condition = conditionOf(rolloutStatus(of(3), sets, at(5)), 'ReplicaFailure')!
  assert.deepEqual([condition.reason, condition.message], ['FailedCreate', 'quota'])
})

test('counts leave out what is zero; terminating Pods are told when every set knows them', () => {
  const withTerminating = { ...newest(2, 1), status: { ...newest(2, 1).status, terminatingReplicas: 1 } }
  const { conditions: _, ...status } = rolloutStatus(of(3), { newest: withTerminating, old: [] }, START)
  assert.deepEqual(status, {
    observedGeneration: 1,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 1,
    availableReplicas: 1,
    unavailableReplicas: 1,
    terminatingReplicas: 1,
  })
})

test('more available Pods than are asked for are not fewer than none that are not', () => {
  const shrinking = {
    ...replicaSet('web-old', 0, 2),
    spec: { ...replicaSet('web-old', 0).spec, replicas: 0 },
  }
  const status = rolloutStatus(of(3), { newest: undefined, old: [shrinking] }, START)
  assert.deepEqual([status.availableReplicas, status.unavailableReplicas], [2, undefined])
})

test('it is complete when all is updated, available and observed', () => {
  const full = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, observedGeneration: 1 }
  assert.equal(isComplete(of(3), full), true)
  assert.equal(isComplete(of(3), { ...full, replicas: 4 }), false)
  assert.equal(isComplete(of(3), { ...full, observedGeneration: 0 }), false)
})

test('it is looked at again when the deadline is over', () => {
  const status = { conditions: [progressing('True', 'ReplicaSetUpdated', 10)] }
  assert.equal(progressCheckMs(of(3, status), status, at(30)), 40_001)
  const late = { conditions: [progressing('False', 'ProgressDeadlineExceeded', 10)] }
  assert.equal(progressCheckMs(of(3, late), late, at(300)), undefined)
})

test('pausing and resuming is told once', () => {
  const paused = (isPaused: boolean, reason: string) =>
    pausedCondition(of(3, { conditions: [progressing('True', reason)] }, { paused: isPaused }), START)?.reason
  assert.equal(paused(true, 'ReplicaSetUpdated'), 'DeploymentPaused')
  assert.equal(paused(true, 'DeploymentPaused'), undefined)
  assert.equal(paused(false, 'DeploymentPaused'), 'DeploymentResumed')
  assert.equal(paused(false, 'ReplicaSetUpdated'), undefined)
  assert.equal(paused(true, 'ProgressDeadlineExceeded'), undefined)
})
