import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import { exited, observe, podOf, record, sidecar, spec } from '../testing/pods.fixture.ts'
import {
  decideStopping,
  gracePeriodOf,
  regranted,
  type StoppingAction,
  type StoppingContainer,
} from './decide-stopping.ts'
import type { ObservedPod } from './observed-pod.ts'

interface Case {
  pod?: Pod
  observed: ObservedPod
  containers?: Record<string, StoppingContainer>
  gracePeriodSeconds?: number
  now?: number
  expected: StoppingAction[]
}

const done = { preStop: 'done' } as const
const guarded = podOf({ initContainers: [sidecar('s1'), sidecar('s2')] })
const all = observe([record('app'), record('s2'), record('s1')])

const cases: Record<string, Case> = {
  'a running container is announced first': {
    observed: observe([record('app')]),
    expected: [{ do: 'announce', name: 'app', id: 'app-0' }],
  },
  'its hook runs within the grace': {
    observed: observe([record('app')]),
    containers: { 'app-0': { preStop: 'due' } },
    expected: [{ do: 'runPreStop', name: 'app', id: 'app-0', withinSeconds: 30 }],
  },
  'a running hook is waited for until the grace ends': {
    observed: observe([record('app')]),
    containers: { 'app-0': { preStop: 'running' } },
    now: 5_000,
    expected: [{ do: 'checkAgain', at: 30_000 }],
  },
  'what the hook used is taken from the grace': {
    observed: observe([record('app')]),
    containers: { 'app-0': done },
    now: 10_000,
    expected: [{ do: 'stopContainer', name: 'app', id: 'app-0', gracePeriodSeconds: 20 }],
  },
  'a hook that eats the grace leaves two seconds': {
    observed: observe([record('app')]),
    containers: { 'app-0': { preStop: 'running' } },
    now: 30_000,
    expected: [{ do: 'stopContainer', name: 'app', id: 'app-0', gracePeriodSeconds: 2 }],
  },
  'apps stop at once while sidecars wait': {
    pod: guarded,
    observed: all,
    containers: { 'app-0': done, 's1-0': done, 's2-0': done },
    expected: [
      { do: 'stopContainer', name: 'app', id: 'app-0', gracePeriodSeconds: 30 },
      { do: 'checkAgain', at: 30_000 },
      { do: 'checkAgain', at: 30_000 },
    ],
  },
  'after the apps the last sidecar stops': {
    pod: guarded,
    observed: observe([exited('app', 0), record('s2'), record('s1')]),
    containers: { 's1-0': done, 's2-0': done },
    now: 4_000,
    expected: [
      { do: 'stopContainer', name: 's2', id: 's2-0', gracePeriodSeconds: 26 },
      { do: 'checkAgain', at: 30_000 },
    ],
  },
  'a sidecar of the old form waits for the others too': {
    pod: podOf({ containers: [spec('app'), spec('proxy', { lifecycle: { type: 'Sidecar' } })] }),
    observed: observe([record('app'), record('proxy')]),
    containers: { 'app-0': done, 'proxy-0': done },
    expected: [
      { do: 'stopContainer', name: 'app', id: 'app-0', gracePeriodSeconds: 30 },
      { do: 'checkAgain', at: 30_000 },
    ],
  },
  'its hook does not wait': {
    pod: podOf({ containers: [spec('app'), spec('proxy', { lifecycle: { type: 'Sidecar' } })] }),
    observed: observe([record('app'), record('proxy')]),
    containers: { 'app-0': { preStop: 'done', killAt: 30_000 }, 'proxy-0': { preStop: 'due' } },
    now: 1_500,
    expected: [{ do: 'runPreStop', name: 'proxy', id: 'proxy-0', withinSeconds: 29 }],
  },
  'when the grace is over nobody waits any more': {
    pod: guarded,
    observed: all,
    containers: { 'app-0': { preStop: 'done', killAt: 30_000 }, 's1-0': done, 's2-0': done },
    now: 30_000,
    expected: [
      { do: 'stopContainer', name: 's2', id: 's2-0', gracePeriodSeconds: 2 },
      { do: 'stopContainer', name: 's1', id: 's1-0', gracePeriodSeconds: 2 },
    ],
  },
  'a grace that was shortened is told to the runtime': {
    observed: observe([record('app')]),
    containers: { 'app-0': { preStop: 'done', killAt: 30_000 } },
    gracePeriodSeconds: 5,
    now: 1_000,
    expected: [{ do: 'stopContainer', name: 'app', id: 'app-0', gracePeriodSeconds: 4 }],
  },
  'a container that is being stopped is left to it': {
    observed: observe([record('app')]),
    containers: { 'app-0': { preStop: 'done', killAt: 30_000 } },
    now: 1_000,
    expected: [],
  },
  'the sandbox goes when no container runs': {
    observed: observe([exited('app', 0)]),
    expected: [{ do: 'stopSandboxes' }],
  },
}

for (const [
  name,
  { pod = podOf(), observed, containers = {}, gracePeriodSeconds = 30, now = 0, expected },
] of Object.entries(cases)) {
  test(name, () => {
    assert.deepEqual(
      decideStopping(pod, observed, { startedAt: 0, gracePeriodSeconds, containers }, now),
      expected,
    )
  })
}

test('the grace is the smallest that was asked for, at least one second, and never grows', () => {
  const pod = podOf({ terminationGracePeriodSeconds: 40 })
  assert.equal(gracePeriodOf(pod, {}), 40)
  assert.equal(gracePeriodOf(pod, { deletion: 60 }), 60)
  assert.equal(gracePeriodOf(pod, { deletion: 60, override: 5 }), 5)
  assert.equal(gracePeriodOf(pod, { deletion: 0 }), 1)
})

test('a grace that is granted later counts from when an end was first asked for, and only shortens', () => {
  const stopping = { startedAt: 10_000, gracePeriodSeconds: 20, containers: {} }
  const grace = (seconds: number, askedAt?: number) =>
    regranted(stopping, seconds, askedAt).gracePeriodSeconds
  assert.equal(grace(60), 20)
  assert.equal(grace(5), 5)
  assert.equal(grace(5, 9_000), 5, 'asked for before it began')
  assert.equal(grace(5, 12_500), 7.5, 'asked for while it was ending by itself')
  assert.equal(grace(30, 12_500), 20)
})
