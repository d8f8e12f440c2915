import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodStatus } from '../../api/types/core-v1.ts'
import type { ObservedPod } from '../pod-worker/observed-pod.ts'
import { exited, observe, podOf, record, spec } from '../testing/pods.fixture.ts'
import { computeStatus, type StatusFacts } from './compute-status.ts'

const NOW = Date.parse('2026-01-01T00:00:10Z')
const status = (
  pod: Pod,
  observed: ObservedPod,
  previous: PodStatus = {},
  more: Partial<StatusFacts> = {},
  now = NOW,
) =>
  computeStatus(
    pod,
    observed,
    previous,
    { hostIPs: ['192.168.1.5'], runtimeName: 'test', terminal: false, ...more },
    now,
  )

test('the first status tells when the pod began, and that stays', () => {
  const first = status(podOf(), observe())
  assert.equal(first.startTime, '2026-01-01T00:00:10Z')
  assert.equal(status(podOf(), observe([record('app')]), first, {}, NOW + 5_000).startTime, first.startTime)
})

test('a condition keeps its time until its status changes', () => {
  const pod = podOf()
  const first = status(pod, observe())
  const same = status(pod, observe(), first, {}, NOW + 5_000)
  const ready = status(pod, observe([record('app')]), same, {}, NOW + 9_000)
  const timeOf = ({ conditions }: PodStatus) =>
    conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
  assert.deepEqual([first, same, ready].map(timeOf), [
    '2026-01-01T00:00:10Z',
    '2026-01-01T00:00:10Z',
    '2026-01-01T00:00:19Z',
  ])
})

test('status and conditions tell which generation of the pod they are of', () => {
  const { observedGeneration, conditions } = status(podOf({}, { generation: 7 }), observe())
  assert.equal(observedGeneration, 7)
  assert.deepEqual([...new Set(conditions?.map(one => one.observedGeneration))], [7])
})

test('conditions that others set stay, before the kubelet’s own in their order', () => {
  const pod = podOf()
  const api = {
    ...pod,
    status: {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'x/y', status: 'True' },
      ],
    },
  }
  assert.deepEqual(
    status(api, observe()).conditions?.map(({ type }) => type),
    ['x/y', 'PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'],
  )
})

test('addresses are the sandbox’s, and stay when it has gone; with the host network they are the node’s', () => {
  const up = status(podOf(), observe())
  assert.deepEqual([up.podIP, up.podIPs, up.hostIP], ['10.244.0.2', [{ ip: '10.244.0.2' }], '192.168.1.5'])
  assert.equal(status(podOf(), { ...observe(), sandboxes: [] }, up).podIP, '10.244.0.2')
  assert.equal(status(podOf({ hostNetwork: true }), observe()).podIP, '192.168.1.5')
})

test('a verdict is never taken back, and its words stay', () => {
  const failed = { phase: 'Failed', reason: 'Evicted', message: 'why' } as const
  const later = status(podOf(), observe([record('app')]), failed)
  assert.deepEqual([later.phase, later.reason, later.message], ['Failed', 'Evicted', 'why'])
})

test('words of a phase go with it', () => {
  const before = { phase: 'Pending', reason: 'Slow', message: 'm' } as const
  assert.equal(status(podOf(), observe(), before).reason, 'Slow')
  assert.equal(status(podOf(), observe([record('app')]), before).reason, undefined)
})

test('the kubelet’s own decision fails the pod with its words', () => {
  const words = { reason: 'DeadlineExceeded', message: 'too long' }
  const over = status(podOf(), observe([record('app')]), {}, { failWith: words })
  assert.deepEqual([over.phase, over.reason, over.message], ['Failed', 'DeadlineExceeded', 'too long'])
})

test('the last words of all containers share twelve kilobytes', () => {
  const names = ['a', 'b', 'c', 'd']
  const pod = podOf({ restartPolicy: 'Never', containers: names.map(name => spec(name)) })
  const long = 'x'.repeat(4096)
  const { containerStatuses } = status(pod, observe(names.map(name => exited(name, 1, { message: long }))))
  assert.deepEqual(
    containerStatuses?.map(({ state }) => state.terminated?.message?.length),
    [3072, 3072, 3072, 3072],
  )
  const alone = status(podOf({ restartPolicy: 'Never' }), observe([exited('app', 1, { message: long })]))
  assert.equal(alone.containerStatuses?.[0]?.state.terminated?.message?.length, 4096)
})
