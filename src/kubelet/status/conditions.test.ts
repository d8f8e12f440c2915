import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, PodCondition } from '../../api/types/core-v1.ts'
import { podOf, sidecar, spec } from '../testing/pods.fixture.ts'
import * as conditions from './conditions.ts'

const of = (name: string, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  state: { waiting: {} },
  lastState: {},
  ready: false,
  restartCount: 0,
  image: '',
  imageID: '',
  ...more,
})
const up = (name: string) => of(name, { state: { running: {} }, started: true, ready: true })
const done = (name: string) => of(name, { state: { terminated: { exitCode: 0 } }, ready: true })

const pod = podOf({ initContainers: [spec('i'), sidecar('s')], containers: [spec('b'), spec('a')] })
const gated = podOf({ readinessGates: [{ conditionType: 'x/one' }, { conditionType: 'x/two' }] })
const gate = (type: string, status: string): PodCondition => ({ type, status })
const isTrue = (type: string) => ({ type, status: 'True' })
const isFalse = (type: string, reason: string, message?: string) => ({
  type,
  status: 'False',
  reason,
  ...(message && { message }),
})

/** Section 2.3. */
const verdicts: Record<string, [conditions.Verdict, conditions.Verdict]> = {
  'a sandbox that stands': [conditions.readyToStartContainers(true), isTrue('PodReadyToStartContainers')],
  'a sandbox that does not, without a reason': [
    conditions.readyToStartContainers(false),
    { type: 'PodReadyToStartContainers', status: 'False' },
  ],
  'a pod without init containers is initialized at once': [
    conditions.initialized(podOf(), [], 'Pending'),
    isTrue('Initialized'),
  ],
  'init containers that are not done are named in the order of the spec': [
    conditions.initialized(pod, [of('s'), of('i')], 'Pending'),
    isFalse('Initialized', 'ContainersNotInitialized', 'containers with incomplete status: [i s]'),
  ],
  'init containers without a status are named before them': [
    conditions.initialized(pod, [of('s')], 'Pending'),
    isFalse(
      'Initialized',
      'ContainersNotInitialized',
      'containers with unknown status: [i], containers with incomplete status: [s]',
    ),
  ],
  'a sidecar has done its part when it has started': [
    conditions.initialized(pod, [done('i'), of('s', { state: { running: {} }, started: true })], 'Pending'),
    isTrue('Initialized'),
  ],
  'an app that runs proves the pod initialized': [
    conditions.initialized(pod, [of('i'), of('s'), up('a')], 'Running'),
    isTrue('Initialized'),
  ],
  'an app that has ended does too': [
    conditions.initialized(pod, [of('i'), of('s'), done('a')], 'Running'),
    isTrue('Initialized'),
  ],
  'a pod that succeeded is initialized because it completed': [
    conditions.initialized(pod, [done('i'), done('s')], 'Succeeded'),
    { type: 'Initialized', status: 'True', reason: 'PodCompleted' },
  ],
  'containers that are not ready: sidecars first, then apps in the order of the spec': [
    conditions.containersReady(pod, [of('a'), of('b'), of('s'), done('i')], 'Running'),
    isFalse('ContainersReady', 'ContainersNotReady', 'containers with unready status: [s b a]'),
  ],
  'containers without a status are named before them too': [
    conditions.containersReady(pod, [of('a'), up('s')], 'Running'),
    isFalse(
      'ContainersReady',
      'ContainersNotReady',
      'containers with unknown status: [b], containers with unready status: [a]',
    ),
  ],
  'all ready': [
    conditions.containersReady(pod, [up('a'), up('b'), up('s'), done('i')], 'Running'),
    isTrue('ContainersReady'),
  ],
  'a pod that succeeded is not ready because it completed': [
    conditions.containersReady(podOf(), [done('app')], 'Succeeded'),
    isFalse('ContainersReady', 'PodCompleted'),
  ],
  'a pod that failed is not ready because it failed': [
    conditions.containersReady(podOf(), [done('app')], 'Failed'),
    isFalse('ContainersReady', 'PodFailed'),
  ],
  'Ready follows the containers': [
    conditions.ready(podOf(), isFalse('ContainersReady', 'ContainersNotReady', 'm'), []),
    isFalse('Ready', 'ContainersNotReady', 'm'),
  ],
  'Ready waits for every readiness gate': [
    conditions.ready(gated, isTrue('ContainersReady'), [gate('x/one', 'False')]),
    isFalse(
      'Ready',
      'ReadinessGatesNotReady',
      'the status of pod readiness gate "x/one" is not "True", but False, corresponding condition of pod readiness gate "x/two" does not exist.',
    ),
  ],
  'Ready with every gate open': [
    conditions.ready(gated, isTrue('ContainersReady'), [gate('x/one', 'True'), gate('x/two', 'True')]),
    isTrue('Ready'),
  ],
  'all containers restart': [
    conditions.allContainersRestarting(true),
    {
      type: 'AllContainersRestarting',
      status: 'True',
      reason: 'RestartAllContainersStarted',
      message: 'container exited with restart policy rule',
    },
  ],
  'they do not any more': [
    conditions.allContainersRestarting(false),
    { type: 'AllContainersRestarting', status: 'False' },
  ],
  'the kubelet ended the pod': [
    conditions.disrupted('why'),
    { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: 'why' },
  ],
}

for (const [title, [actual, expected]] of Object.entries(verdicts)) {
  test(title, () => assert.deepEqual(actual, expected))
}
