import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, Pod } from '../../api/types/core-v1.ts'
import type { ObservedPod } from '../pod-worker/observed-pod.ts'
import { exited, observe, podOf, record, sidecar, spec } from '../testing/pods.fixture.ts'
import { type ContainerKind, containerStatuses } from './container-statuses.ts'

interface Case {
  pod?: Pod
  kind?: ContainerKind
  observed: ObservedPod
  previous?: ContainerStatus
  /** Compared field by field with the first status. */
  expected: Partial<ContainerStatus>
}

const old = (more: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'app',
  state: {},
  lastState: {},
  ready: false,
  restartCount: 0,
  image: 'app:1',
  imageID: '',
  ...more,
})
const START = '1970-01-01T00:00:01Z'
const END = '1970-01-01T00:00:02Z'
const term = (name: string, count: number, exitCode: number, more: object = {}) => ({
  terminated: {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: START,
    finishedAt: END,
    containerID: `test://${name}-${count}`,
    ...more,
  },
})
const runningBefore = { running: { startedAt: START } }
const withInit = podOf({ initContainers: [spec('init')] })
const failure = { app: { reason: 'ErrImagePull', message: 'not there' } }

/** Section 2.1, row by row. */
const cases: Record<string, Case> = {
  'a container without a record is being created': {
    observed: observe(),
    expected: { state: { waiting: { reason: 'ContainerCreating' } }, imageID: '', restartCount: 0 },
  },
  'beside init containers, the pod is initializing': {
    pod: withInit,
    observed: observe(),
    expected: { state: { waiting: { reason: 'PodInitializing' } } },
  },
  'and so is the init container itself': {
    pod: withInit,
    kind: 'init',
    observed: observe(),
    expected: { name: 'init', state: { waiting: { reason: 'PodInitializing' } } },
  },
  'what ended and left no record stays ended': {
    observed: observe(),
    previous: old({ state: term('app', 0, 1), restartCount: 3 }),
    expected: { state: term('app', 0, 1), restartCount: 3 },
  },
  'running tells since when': {
    observed: observe([record('app')]),
    expected: {
      state: { running: { startedAt: START } },
      containerID: 'test://app-0',
      image: 'app:1',
      imageID: 'sha256:app',
    },
  },
  'created waits without a reason': {
    observed: observe([record('app', { state: 'created' })]),
    expected: { state: { waiting: {} } },
  },
  'exited tells how and when, with the last words': {
    pod: podOf({ restartPolicy: 'Never' }),
    observed: observe([exited('app', 3, { message: 'bye' })]),
    expected: { state: term('app', 0, 3, { message: 'bye' }), containerID: 'test://app-0' },
  },
  'killed for its memory': {
    pod: podOf({ restartPolicy: 'Never' }),
    observed: observe([exited('app', 137, { reason: 'OOMKilled' })]),
    expected: { state: term('app', 0, 137, { reason: 'OOMKilled' }) },
  },
  'unknown and running before has ended unseen': {
    observed: observe([record('app', { state: 'unknown' })]),
    previous: old({ state: runningBefore, restartCount: 2 }),
    expected: {
      state: {
        terminated: {
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message: 'The container could not be located when the pod was terminated',
        },
      },
      restartCount: 3,
    },
  },
  'vanished and running before keeps that as its last state': {
    observed: observe(),
    previous: old({ state: runningBefore, restartCount: 2 }),
    expected: {
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {
        terminated: {
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message:
            'The container could not be located when the pod was deleted.  The container used to be Running',
        },
      },
      restartCount: 3,
    },
  },
  'an init container that vanished after the apps came has succeeded': {
    pod: withInit,
    kind: 'init',
    observed: observe([record('app')]),
    expected: {
      state: {
        terminated: {
          exitCode: 0,
          reason: 'Completed',
          message:
            'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
        },
      },
    },
  },
  'the two newest records are state and last state': {
    observed: observe([record('app', { restartCount: 1 }), exited('app', 7)]),
    expected: {
      state: { running: { startedAt: START } },
      lastState: term('app', 0, 7),
      restartCount: 1,
    },
  },
  'a start that failed shows instead of the exit, which becomes the last state': {
    observed: observe([exited('app', 1)], { startFailures: failure }),
    expected: {
      state: { waiting: { reason: 'ErrImagePull', message: 'not there' } },
      lastState: term('app', 0, 1),
    },
  },
  'a start that failed does not show where nothing is to start': {
    pod: podOf({ restartPolicy: 'Never' }),
    observed: observe([exited('app', 1)], { startFailures: failure }),
    expected: { state: term('app', 0, 1), lastState: {} },
  },
  'nor while the container runs': {
    observed: observe([record('app')], { startFailures: failure }),
    expected: { state: { running: { startedAt: START } } },
  },
  'an init container that succeeded is not shown as failing to start': {
    pod: withInit,
    kind: 'init',
    observed: observe([exited('init', 0)], { startFailures: { init: failure.app } }),
    expected: { state: term('init', 0, 0) },
  },
  'a sidecar that succeeded and could not start again is': {
    pod: podOf({ initContainers: [sidecar('side')] }),
    kind: 'init',
    observed: observe([exited('side', 0)], { startFailures: { side: failure.app } }),
    expected: {
      state: { waiting: { reason: 'ErrImagePull', message: 'not there' } },
      lastState: term('side', 0, 0),
    },
  },
  'a restart of all shows in state and last state': {
    observed: observe([], { restartingAll: true }),
    previous: old({ state: runningBefore, restartCount: 4 }),
    expected: {
      state: {
        waiting: {
          reason: 'RestartingAllContainers',
          message: 'The container is removed because RestartAllContainers in place',
        },
      },
      lastState: {
        terminated: {
          exitCode: 137,
          reason: 'RestartingAllContainers',
          message: 'The container is removed because RestartAllContainers in place',
        },
      },
      restartCount: 5,
    },
  },
  'counts never fall, whatever the runtime has forgotten': {
    observed: observe([record('app', { restartCount: 1 })]),
    previous: old({ state: runningBefore, restartCount: 9, containerID: 'test://app-1' }),
    expected: { restartCount: 9 },
  },
  'an ephemeral container that ended stays ended': {
    pod: podOf({ ephemeralContainers: [{ name: 'debug', image: 'debug:1' } as never] }),
    kind: 'ephemeral',
    observed: observe([exited('debug', 1), record('app')]),
    expected: { name: 'debug', state: term('debug', 0, 1), restartCount: 0 },
  },
  'a stop signal that was asked for shows': {
    pod: podOf({
      os: { name: 'linux' },
      containers: [spec('app', { lifecycle: { stopSignal: 'SIGUSR1' } })],
    }),
    observed: observe([record('app')]),
    expected: { stopSignal: 'SIGUSR1' },
  },
}

for (const [title, { pod = podOf(), kind = 'app', observed, previous, expected }] of Object.entries(cases)) {
  test(title, () => {
    const list = containerStatuses(kind, {
      pod,
      observed,
      previous: previous ? [previous] : [],
      runtimeName: 'test',
    })
    const [first] = list as unknown as Record<string, unknown>[]
    const actual = Object.fromEntries(Object.keys(expected).map(key => [key, first![key]]))
    assert.deepEqual(actual, expected)
  })
}

test('init containers come in the order of the spec, others by name', () => {
  const pod = podOf({
    initContainers: [spec('z'), spec('y')],
    containers: [spec('c'), spec('a')],
    ephemeralContainers: [{ name: 'x2' }, { name: 'x1' }] as never,
  })
  const names = (kind: ContainerKind) =>
    containerStatuses(kind, { pod, observed: observe(), previous: [], runtimeName: 't' }).map(
      ({ name }) => name,
    )
  assert.deepEqual(
    [names('init'), names('app'), names('ephemeral')],
    [
      ['z', 'y'],
      ['a', 'c'],
      ['x1', 'x2'],
    ],
  )
})
