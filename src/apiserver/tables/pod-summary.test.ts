import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, Pod, PodStatus } from '../../api/types/core-v1.ts'
import { type PodSummary, summarizePod } from './pod-summary.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

type State = ContainerStatus['state']
const waiting = (reason: string): State => ({ waiting: { reason } })
const running: State = { running: { startedAt: ago(60) } }
const terminated = (exitCode: number, reason?: string, signal?: number): State =>
  ({ terminated: { exitCode, ...(reason && { reason }), ...(signal && { signal }) } }) as State

function container(name: string, state: State, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return {
    name,
    state,
    lastState: {},
    ready: false,
    restartCount: 0,
    image: '',
    imageID: '',
    ...more,
  } as ContainerStatus
}

interface Shape {
  init?: string[]
  sidecars?: string[]
  apps?: string[]
  deleted?: boolean
}

/** Sidecars come first among the init containers. */
function pod({ init = [], sidecars = [], apps = ['app'], deleted }: Shape, status: Partial<PodStatus>): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', ...(deleted && { deletionTimestamp: ago(5) }) },
    spec: {
      containers: apps.map(name => ({ name })),
      initContainers: [
        ...sidecars.map(name => ({ name, restartPolicy: 'Always' })),
        ...init.map(name => ({ name })),
      ],
    },
    status: { phase: 'Pending', ...status },
  } as unknown as Pod
}

const up = { ready: true, started: true }
const condition = (type: string, value: 'True' | 'False' = 'True', reason?: string) =>
  ({ type, status: value, ...(reason && { reason }) }) as NonNullable<PodStatus['conditions']>[number]

const cases: Record<string, { pod: Pod; expected: Partial<PodSummary> }> = {
  'a new pod is Pending': { pod: pod({}, {}), expected: { ready: '0/1', status: 'Pending', restarts: '0' } },
  'a gated pod says so': {
    pod: pod({}, { conditions: [condition('PodScheduled', 'False', 'SchedulingGated')] }),
    expected: { status: 'SchedulingGated' },
  },
  "the pod's own reason wins over its phase": {
    pod: pod({}, { phase: 'Failed', reason: 'Evicted' }),
    expected: { status: 'Evicted' },
  },
  'the first init container runs': {
    pod: pod(
      { init: ['a', 'b'] },
      {
        initContainerStatuses: [container('a', running), container('b', waiting('PodInitializing'))],
        containerStatuses: [container('app', waiting('PodInitializing'))],
      },
    ),
    expected: { ready: '0/1', status: 'Init:0/2' },
  },
  'the second init container is next': {
    pod: pod(
      { init: ['a', 'b'] },
      {
        initContainerStatuses: [
          container('a', terminated(0, 'Completed')),
          container('b', waiting('PodInitializing')),
        ],
      },
    ),
    expected: { status: 'Init:1/2' },
  },
  'init containers are done and the app is not started': {
    pod: pod(
      { init: ['a'] },
      {
        initContainerStatuses: [container('a', terminated(0, 'Completed'))],
        containerStatuses: [container('app', waiting('PodInitializing'))],
      },
    ),
    expected: { status: 'PodInitializing' },
  },
  'a failed init container names its reason': {
    pod: pod({ init: ['a'] }, { initContainerStatuses: [container('a', terminated(1, 'Error'))] }),
    expected: { status: 'Init:Error' },
  },
  'a failed init container without a reason shows its code': {
    pod: pod({ init: ['a'] }, { initContainerStatuses: [container('a', terminated(7))] }),
    expected: { status: 'Init:ExitCode:7' },
  },
  'a killed init container without a reason shows its signal': {
    pod: pod({ init: ['a'] }, { initContainerStatuses: [container('a', terminated(137, undefined, 9))] }),
    expected: { status: 'Init:Signal:9' },
  },
  'a crashing init container counts its restarts': {
    pod: pod(
      { init: ['a'] },
      {
        initContainerStatuses: [
          container('a', waiting('CrashLoopBackOff'), {
            restartCount: 3,
            lastState: { terminated: { exitCode: 1, finishedAt: ago(90) } as never },
          }),
        ],
      },
    ),
    expected: { status: 'Init:CrashLoopBackOff', restarts: '3 (90s ago)' },
  },
  'a ready sidecar counts while others initialise': {
    pod: pod(
      { sidecars: ['proxy'], init: ['a'] },
      {
        initContainerStatuses: [container('proxy', running, up), container('a', running)],
      },
    ),
    expected: { ready: '1/2', status: 'Init:1/2' },
  },
  'all run': {
    pod: pod(
      { sidecars: ['proxy'] },
      {
        phase: 'Running',
        initContainerStatuses: [container('proxy', running, { ...up, restartCount: 1 })],
        containerStatuses: [container('app', running, { ...up, restartCount: 2 })],
      },
    ),
    expected: { ready: '2/2', status: 'Running', restarts: '3' },
  },
  'restarts of ordinary init containers are forgotten once the apps run': {
    pod: pod(
      { init: ['a'] },
      {
        phase: 'Running',
        initContainerStatuses: [container('a', terminated(0, 'Completed'), { restartCount: 4 })],
        containerStatuses: [container('app', running, up)],
      },
    ),
    expected: { status: 'Running', restarts: '0' },
  },
  'an init container that runs again does not hide an initialised pod': {
    pod: pod(
      { init: ['a'] },
      {
        phase: 'Running',
        conditions: [condition('Initialized')],
        initContainerStatuses: [container('a', running)],
        containerStatuses: [container('app', running, up)],
      },
    ),
    expected: { ready: '1/1', status: 'Init:0/1' },
  },
  "the first container's trouble is shown": {
    pod: pod(
      { apps: ['a', 'b'] },
      {
        phase: 'Running',
        containerStatuses: [
          container('a', waiting('ErrImagePull')),
          container('b', waiting('CrashLoopBackOff')),
        ],
      },
    ),
    expected: { ready: '0/2', status: 'ErrImagePull' },
  },
  'a container without a reason shows how it ended': {
    pod: pod(
      { apps: ['a'] },
      { phase: 'Failed', containerStatuses: [container('a', terminated(137, undefined, 9))] },
    ),
    expected: { status: 'Signal:9' },
  },
  'one done and one running and ready is Running': {
    pod: pod(
      { apps: ['a', 'b'] },
      {
        phase: 'Running',
        conditions: [condition('Ready')],
        containerStatuses: [container('a', terminated(0, 'Completed')), container('b', running, up)],
      },
    ),
    expected: { ready: '1/2', status: 'Running' },
  },
  'one done and one running, not ready as a whole, is NotReady': {
    pod: pod(
      { apps: ['a', 'b'] },
      {
        phase: 'Running',
        conditions: [condition('Ready', 'False')],
        containerStatuses: [container('a', terminated(0, 'Completed')), container('b', running, up)],
      },
    ),
    expected: { ready: '1/2', status: 'NotReady' },
  },
  'one completed and one failed shows the failure': {
    pod: pod(
      { apps: ['a', 'b'] },
      {
        phase: 'Failed',
        containerStatuses: [
          container('a', terminated(0, 'Completed')),
          container('b', terminated(1, 'Error')),
        ],
      },
    ),
    expected: { status: 'Error' },
  },
  'a pod in deletion is Terminating': {
    pod: pod({ deleted: true }, { phase: 'Running', containerStatuses: [container('app', running, up)] }),
    expected: { ready: '1/1', status: 'Terminating' },
  },
  'a finished pod in deletion keeps its word': {
    pod: pod(
      { deleted: true },
      { phase: 'Succeeded', containerStatuses: [container('app', terminated(0, 'Completed'))] },
    ),
    expected: { status: 'Completed' },
  },
  'a pod in deletion on a lost node is Unknown': {
    pod: pod({ deleted: true }, { phase: 'Running', reason: 'NodeLost' }),
    expected: { status: 'Unknown' },
  },
}

for (const [title, { pod: given, expected }] of Object.entries(cases)) {
  test(title, () => {
    const summary = summarizePod(given, NOW)
    for (const [key, value] of Object.entries(expected))
      assert.equal(summary[key as keyof PodSummary], value, key)
  })
}
