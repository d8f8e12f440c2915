// What tests of decide() share: the Pods they judge, short words for actions, and the loop over a table of cases.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec } from '../../api/types/core-v1.ts'
import type { Action } from '../pod-worker/actions.ts'
import { backOffKey } from '../pod-worker/crash-back-off.ts'
import { decide } from '../pod-worker/decide.ts'
import type { ObservedPod } from '../pod-worker/observed-pod.ts'
import { podOf, sandbox, sidecar, spec } from './pods.fixture.ts'

export interface Case {
  pod: Pod
  observed: ObservedPod
  now?: number
  expected: Action[]
}

export const start = (name: string, kind: 'init' | 'sidecar' | 'app' | 'ephemeral' = 'app'): Action => ({
  do: 'startContainer',
  name,
  kind,
})
export const kill = (
  name: string,
  message: string,
  why: 'changed' | 'liveness' | 'startup' | 'unknown',
  id = `${name}-0`,
): Action => ({
  do: 'killContainer',
  name,
  id,
  message,
  why,
})
export const success = { startup: 'success', liveness: 'success', readiness: 'success' } as const
export const two = podOf({ initContainers: [spec('a'), spec('b')] })
export const withSidecar = podOf({ initContainers: [sidecar('side'), spec('b')] })
export const probed = podOf({ initContainers: [sidecar('side', { startupProbe: {} }), spec('b')] })
export const lastSidecar = podOf({ initContainers: [spec('a'), sidecar('side')] })
export const never = podOf({ restartPolicy: 'Never', initContainers: [spec('a'), spec('b')] })
export const rules = (exit: number, action: string, policy: string) =>
  spec('app', {
    restartPolicy: policy,
    restartPolicyRules: [{ action, exitCodes: { operator: 'In', values: [exit] } }],
  })
export const crashed = podOf()
export const entry = {
  [backOffKey(crashed, crashed.spec.containers[0]!)]: { durationMs: 20_000, updatedAt: 0 },
}
export const lost = { ...sandbox, ready: false }

export const legacySidecar = (name: string): Container =>
  spec(name, { lifecycle: { type: 'Sidecar' }, readinessProbe: {} })

export const served = (more: Partial<PodSpec> = {}): Pod =>
  podOf({ containers: [spec('app'), legacySidecar('proxy')], ...more })

/** One test each, named by its key: what is decided, at 100 seconds unless the case says otherwise. */
export function decisionTests(cases: Record<string, Case>): void {
  for (const [name, { pod, observed, now = 100_000, expected }] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(decide(pod, observed, now), expected))
  }
}
