import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState, ContainerStatus, Pod, PodStatus } from '../../api/types/core-v1.ts'
import { isInitProgress, visibleStep } from './visible-step.ts'

const pod = {
  metadata: { name: 'p' },
  spec: {
    initContainers: [{ name: 'first' }, { name: 'second' }, { name: 'beside', restartPolicy: 'Always' }],
    containers: [{ name: 'app' }],
  },
} as Pod

const states: Record<string, ContainerState> = {
  waits: { waiting: { reason: 'PodInitializing' } },
  crashed: { waiting: { reason: 'CrashLoopBackOff' } },
  runs: { running: { startedAt: '2026-01-01T00:00:00Z' } },
  done: { terminated: { exitCode: 0, reason: 'Completed' } },
  failed: { terminated: { exitCode: 1, reason: 'Error' } },
}

/** 'done waits | waits': init containers, then others. */
function status(words: string, phase = 'Pending'): PodStatus {
  const [inits = [], apps = []] = words.split('|').map(part => part.trim().split(' '))
  const of = (names: readonly string[], list: readonly string[]) =>
    list.map((word, index) => ({
      name: names[index]!,
      restartCount: word.endsWith('2') ? 1 : 0,
      ready: false,
      state: states[word.replace(/\d$/, '')]!,
    })) as ContainerStatus[]
  return {
    phase,
    initContainerStatuses: of(['first', 'second', 'beside'], inits),
    containerStatuses: of(['app'], apps),
  } as PodStatus
}

const same: [string, string, string][] = [
  ['an init container that waits and one that runs', 'waits waits waits | waits', 'runs waits waits | waits'],
  ['the same further on', 'done waits waits | waits', 'done runs waits | waits'],
]
const apart: [string, string, string][] = [
  ['an init container and the next', 'runs waits waits | waits', 'done waits waits | waits'],
  ['one that failed', 'runs waits waits | waits', 'failed waits waits | waits'],
  ['one that is held back', 'waits waits waits | waits', 'crashed waits waits | waits'],
  ['one that was restarted', 'runs waits waits | waits', 'runs2 waits waits | waits'],
  ['a sidecar that waits and one that runs', 'done done waits | waits', 'done done runs | waits'],
  ['an app that waits and one that runs', 'done done runs | waits', 'done done runs | runs'],
]

for (const [title, one, other] of same)
  test(`one step: ${title}`, () => {
    assert.equal(visibleStep(pod, status(one)), visibleStep(pod, status(other)))
  })

for (const [title, one, other] of apart)
  test(`two steps: ${title}`, () => {
    assert.notEqual(visibleStep(pod, status(one)), visibleStep(pod, status(other)))
  })

const plain = { ...pod, spec: { ...pod.spec, initContainers: pod.spec.initContainers!.slice(0, 2) } } as Pod
const progress: [string, string, boolean][] = [
  ['nothing has begun', 'waits waits | waits', true],
  ['the first runs', 'runs waits | waits', true],
  ['the second runs', 'done runs | waits', true],
  ['all are over', 'done done | waits', false],
  ['one has failed', 'failed waits | waits', false],
  ['one runs again', 'runs2 waits | waits', false],
  ['one is held back', 'crashed waits | waits', false],
  ['an app has begun', 'done runs | runs', false],
]
for (const [title, words, expected] of progress)
  test(`only a count goes up, ${title}: ${expected}`, () => {
    assert.equal(isInitProgress(plain, status(words)), expected)
  })

test('a pod with a sidecar shows more than a count', () => {
  assert.equal(isInitProgress(pod, status('done runs waits | waits')), false)
})
