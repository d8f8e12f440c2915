// What the worker knows of a pod's sandboxes and containers when it decides. Only data: runtime-view/ fills it in.
import type { NamespaceMode } from '../../runtime/cri/cri.generated.ts'
import type { AppliedResources } from '../resize/applied-resources.ts'

/** A container as the runtime last reported it. Times are epoch milliseconds; 0 where there is none. */
export interface ObservedContainer {
  id: string
  name: string
  sandboxId: string
  state: 'created' | 'running' | 'exited' | 'unknown'
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  /** The runtime's: 'Completed', 'Error', 'OOMKilled'… */
  reason: string
  /** The runtime's message joined with the termination message. */
  message: string
  image: string
  imageRef: string
  /** From the container's annotation. */
  restartCount: number
  /** Of name and image, as they were when it was created (containerHash). */
  hash: string
  /** The grace that was in force when it was created; for containers whose pod is no longer known. */
  gracePeriodSeconds: number
  /** Absolute path of the log file, '' when it has none. */
  logPath: string
  user?: { uid: number; gid: number; supplementalGroups: number[] }
  /** What is applied to it, as far as the runtime tells. */
  resources?: AppliedResources
  /** What it requested of memory when it was made, '' for nothing; absent where nobody knows. */
  memoryRequest?: string
}

export interface ObservedSandbox {
  id: string
  attempt: number
  ready: boolean
  createdAt: number
  network: NamespaceMode
  /** Primary first; empty for host network or when the network is gone. */
  ips: string[]
}

export type ProbeResult = 'success' | 'failure' | 'unknown'

/** Results of the container that runs now. A kind without a result yet is 'unknown'. */
export interface ProbeResults {
  startup: ProbeResult
  liveness: ProbeResult
  readiness: ProbeResult
}

/** Why the last attempt to start a container failed; forgotten after a successful start. */
export interface StartFailure {
  reason: string
  message: string
  /** No further attempt before then (epoch milliseconds); with a crash back-off that alone decides. */
  retryAt?: number
}

/** One entry of the crash back-off, keyed by backOffKey. Times in milliseconds. */
export interface BackOffEntry {
  durationMs: number
  updatedAt: number
}

export interface ObservedPod {
  /** Newest first. */
  sandboxes: readonly ObservedSandbox[]
  /** Newest first. */
  containers: readonly ObservedContainer[]
  /** By container id. */
  probes: Readonly<Record<string, ProbeResults>>
  /** By backOffKey. */
  backOffs: Readonly<Record<string, BackOffEntry>>
  /** By container name. */
  startFailures: Readonly<Record<string, StartFailure>>
  /** A RestartAllContainers rule has fired and its containers are not all started again. */
  restartingAll: boolean
}

export const nothingObserved: ObservedPod = {
  sandboxes: [],
  containers: [],
  probes: {},
  backOffs: {},
  startFailures: {},
  restartingAll: false,
}

/** The newest container of that name. */
export function newestOf(
  observed: Pick<ObservedPod, 'containers'>,
  name: string,
): ObservedContainer | undefined {
  return observed.containers.find(container => container.name === name)
}
