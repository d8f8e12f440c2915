// CRI statuses as the worker sees sandboxes and containers. Pure.
import type { ContainerStatus, PodSandboxStatus } from '../../runtime/cri/cri.generated.ts'
import type { ObservedContainer, ObservedSandbox } from '../pod-worker/observed-pod.ts'
import { appliedResources } from '../resize/applied-resources.ts'
import { ANNOTATION, LABEL } from './cri-labels.ts'

export const STATES = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
} as const

/** Prepared, and its turn has not come (pod-worker/prepared-containers.ts). */
export const isHidden = ({
  annotations,
  startedAt,
  finishedAt,
}: Pick<ContainerStatus, 'annotations' | 'startedAt' | 'finishedAt'>) =>
  ANNOTATION.prepared in annotations && !startedAt && !finishedAt

const toMs = (nanoseconds: number) => Math.floor(nanoseconds / 1_000_000)

export function observedSandbox(status: PodSandboxStatus): ObservedSandbox {
  const { ip = '', additionalIps = [] } = status.network ?? {}
  return {
    id: status.id,
    attempt: status.metadata.attempt,
    ready: status.state === 'SANDBOX_READY',
    createdAt: toMs(status.createdAt),
    network: status.linux?.namespaces?.options?.network ?? 'POD',
    ips: [ip, ...additionalIps.map(({ ip }) => ip)].filter(Boolean),
  }
}

/** `message`: the runtime's, joined with what the container left as its last words. */
export function observedContainer(
  status: ContainerStatus,
  sandboxId: string,
  message: string,
): ObservedContainer {
  const { annotations } = status
  const grace =
    annotations[ANNOTATION.podDeletionGracePeriod] ?? annotations[ANNOTATION.podTerminationGracePeriod]
  const user = status.user?.linux
  const resources = status.resources?.linux
  const memoryRequest = annotations[ANNOTATION.memoryRequest]
  return {
    id: status.id,
    name: status.labels[LABEL.containerName] ?? status.metadata.name,
    sandboxId,
    state: STATES[status.state],
    createdAt: toMs(status.createdAt),
    startedAt: toMs(status.startedAt),
    finishedAt: toMs(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message,
    image: status.image.image,
    imageRef: status.imageRef,
    restartCount: Number(annotations[ANNOTATION.restartCount] ?? status.metadata.attempt),
    hash: annotations[ANNOTATION.hash] ?? '',
    gracePeriodSeconds: Number(grace ?? 30),
    logPath: status.logPath,
    ...(user && { user }),
    ...(resources && { resources: appliedResources(resources) }),
    ...(memoryRequest !== undefined && { memoryRequest }),
  }
}
