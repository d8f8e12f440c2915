import type { ContainerStatus, PodStatus } from '../../api/types/core-v1.ts'

/**
 * What a person who watches the pod sees of a status: phase, and per container its state and reason. Statuses that
 * differ in this are never merged into one write, so that `kubectl get -w` shows each step.
 */
export function visibleStep(status: PodStatus): string {
  const containers = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ]
  return [status.phase, status.reason, ...containers.map(stateOf)].join('|')
}

function stateOf({ state, restartCount, ready, started }: ContainerStatus): string {
  if (state.running) return `running ${restartCount} ${ready} ${started}`
  if (state.terminated) return `terminated ${restartCount} ${state.terminated.reason}`
  return `waiting ${restartCount} ${state.waiting?.reason}`
}
