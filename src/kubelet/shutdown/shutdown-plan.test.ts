import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podOf } from '../testing/pods.fixture.ts'
import { shutdownPlan } from './shutdown-plan.ts'

const named = (name: string, spec = {}, annotations = {}) =>
  podOf({ terminationGracePeriodSeconds: 30, ...spec }, { name, annotations })
const grace = { allMs: 20_000, criticalMs: 5_000 }
const brief = (pods: Parameters<typeof shutdownPlan>[0], times = grace) =>
  shutdownPlan(pods, times).map(({ withinMs, pods }) => [
    withinMs,
    ...pods.map(({ pod, graceSeconds }) => `${pod.metadata.name} ${graceSeconds}`),
  ])

test('ordinary pods end first, critical ones in the time that is left for them', () =>
  assert.deepEqual(
    brief([
      named('critical', { priority: 2_000_000_000 }),
      named('a'),
      named('static', {}, { 'kubernetes.io/config.source': 'file' }),
    ]),
    [
      [15_000, 'a 15'],
      [5_000, 'critical 5', 'static 5'],
    ],
  ))

test('a pod that grants itself less time has less', () =>
  assert.deepEqual(brief([named('quick', { terminationGracePeriodSeconds: 2 })]), [[15_000, 'quick 2']]))

test('where nobody is critical, the last part of the time is not used', () =>
  assert.deepEqual(brief([named('a')]), [[15_000, 'a 15']]))

test('without pods there is nothing to wait for', () => assert.deepEqual(brief([]), []))
