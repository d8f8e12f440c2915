// Pods and containers for tables: a base and small edits.
import type { Container, Pod, PodSpec } from '../../api/types/core-v1.ts'
import { containerHash } from '../pod-worker/container-hash.ts'
import { nothingObserved, type ObservedContainer, type ObservedPod } from '../pod-worker/observed-pod.ts'

export const spec = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: `${name}:1`,
  resources: {},
  ...more,
})

export const sidecar = (name: string, more: Partial<Container> = {}): Container =>
  spec(name, { restartPolicy: 'Always', ...more })

export function podOf(more: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace: 'ns',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
      ...metadata,
    },
    spec: { restartPolicy: 'Always', containers: [spec('app')], ...more },
    status: {},
  }
}

export function record(name: string, more: Partial<ObservedContainer> = {}): ObservedContainer {
  const restartCount = more.restartCount ?? 0
  return {
    id: `${name}-${restartCount}`,
    name,
    sandboxId: 's0',
    state: 'running',
    createdAt: restartCount,
    startedAt: 1_000,
    finishedAt: 0,
    exitCode: 0,
    reason: '',
    message: '',
    image: `${name}:1`,
    imageRef: `sha256:${name}`,
    restartCount,
    hash: containerHash({ name, image: `${name}:1` }),
    gracePeriodSeconds: 30,
    logPath: '',
    ...more,
  }
}

export const exited = (
  name: string,
  exitCode: number,
  more: Partial<ObservedContainer> = {},
): ObservedContainer =>
  record(name, {
    state: 'exited',
    exitCode,
    finishedAt: 2_000,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    ...more,
  })

export const sandbox = {
  id: 's0',
  attempt: 0,
  ready: true,
  createdAt: 0,
  network: 'POD' as const,
  ips: ['10.244.0.2'],
}

/** A pod with a good sandbox and these containers, newest first. */
export const observe = (
  containers: ObservedContainer[] = [],
  more: Partial<ObservedPod> = {},
): ObservedPod => ({
  ...nothingObserved,
  sandboxes: [sandbox],
  containers,
  ...more,
})
