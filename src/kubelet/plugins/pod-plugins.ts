// What a pod's worker asks of the node's plugins.
import type { Container, Pod, PodStatus } from '../../api/types/core-v1.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'
import type { ContainerAdditions } from './container-additions.ts'

export interface PodPlugins {
  /** Before anything of a new pod is made: gives it its devices. Words: the node cannot have it. */
  admit(pod: Pod): Promise<FailWords | undefined>
  /** Before a sandbox is made. Rejects with the text of the event. */
  prepare(pod: Pod): Promise<void>
  /** When nothing of the pod runs any more, and none of it will. Rejects when it must be tried again. */
  release(pod: Pod): Promise<void>
  /** Just before the container is created. Rejects with the text that the pod shows. */
  additionsFor(pod: Pod, container: Container): Promise<ContainerAdditions>
  /** Whether a container may not be created ahead of its turn. */
  concern(pod: Pod, container: Container): boolean
  /** The status with the health of what its containers have. */
  withHealth(pod: Pod, status: PodStatus): PodStatus
}
