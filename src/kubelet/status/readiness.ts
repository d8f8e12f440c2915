// started and ready of each container status. Upstream: prober_manager.go UpdatePodStatus.

import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, ContainerStatus, Pod } from '../../api/types/core-v1.ts'
import type { ObservedPod, ProbeResults } from '../pod-worker/observed-pod.ts'

export function withReadiness(
  pod: Pod,
  observed: ObservedPod,
  statuses: ContainerStatus[],
): ContainerStatus[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  return statuses.map(status => {
    const container = containers.find(({ name }) => name === status.name)
    if (!container) return status
    const regularInit = !!pod.spec.initContainers?.includes(container) && !isSidecar(container)
    const probes = status.containerID
      ? observed.probes[status.containerID.replace(/^.*:\/\//, '')]
      : undefined
    const started = isStarted(container, status, probes)
    const ready = regularInit
      ? status.state.terminated?.exitCode === 0
      : started && (!container.readinessProbe || isReady(status, probes))
    return { ...status, started, ready }
  })
}

function isStarted(container: Container, status: ContainerStatus, probes: ProbeResults | undefined): boolean {
  if (!status.state.running) return false
  if (!container.startupProbe) return true
  // A restarted kubelet takes the API's word until its own prober has one (ChangeContainerStatusOnKubeletRestart=false).
  if (!probes || probes.startup === 'unknown') return !probes && status.started === true
  return probes.startup === 'success'
}

/** As with started: what the API says holds until the prober knows better. */
function isReady(status: ContainerStatus, probes: ProbeResults | undefined): boolean {
  return probes ? probes.readiness === 'success' : status.ready
}
