// Which container's log a request means. Pure. Upstream: kubelet.go validateContainerLogStatus.
import { badRequest } from '../../api/status-error.ts'
import type { ContainerStatus, Pod, PodStatus } from '../../api/types/core-v1.ts'

export interface LogSource {
  /** Without its 'scheme://'. */
  containerId: string
  /** The log is complete: following ends at its end. */
  ended: boolean
}

/** Throws StatusError 400 with upstream's texts. */
export function logSource(pod: Pod, status: PodStatus, container: string, previous: boolean): LogSource {
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ]
  const found = all.find(({ name }) => name === container)
  const where = `container "${container}" in pod "${pod.metadata.name}"`
  if (!found) throw badRequest(`${where} is not available`)
  if (previous) return previousOf(found, where)
  return currentOf(found, where)
}

function previousOf({ lastState }: ContainerStatus, where: string): LogSource {
  const id = lastState.terminated?.containerID
  if (!id) throw badRequest(`previous terminated ${where} not found`)
  return { containerId: bare(id), ended: true }
}

function currentOf({ state, lastState, containerID }: ContainerStatus, where: string): LogSource {
  const { running, terminated, waiting } = state
  const last = lastState.terminated?.containerID
  if (running) return { containerId: bare(containerID ?? ''), ended: false }
  if (terminated?.containerID) return { containerId: bare(terminated.containerID), ended: true }
  if (terminated) {
    if (last) return { containerId: bare(last), ended: true }
    throw badRequest(`${where} is terminated`)
  }
  // A container that waits to start again still has the log of its last run.
  if (last) return { containerId: bare(last), ended: true }
  switch (waiting?.reason) {
    case undefined:
    case '':
      throw badRequest(`${where} is not available`)
    case 'ErrImagePull':
      throw badRequest(`${where} is waiting to start: image can't be pulled`)
    case 'ImagePullBackOff':
      throw badRequest(`${where} is waiting to start: trying and failing to pull image`)
    default:
      throw badRequest(`${where} is waiting to start: ${waiting?.reason}`)
  }
}

const bare = (id: string) => id.replace(/^.*:\/\//, '')
