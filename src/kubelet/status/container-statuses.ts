// API statuses of the containers of one kind. Upstream: kubelet_pods.go convertToAPIContainerStatuses.

import { legacySidecars } from '../../api/pod/legacy-sidecar.ts'
import { isSidecar } from '../../api/pod/sidecar.ts'
import type {
  Container,
  ContainerStatus,
  EphemeralContainer,
  Pod,
  VolumeMountStatus,
} from '../../api/types/core-v1.ts'
import { apiTime } from '../api-time.ts'
import { newestOf, type ObservedContainer, type ObservedPod } from '../pod-worker/observed-pod.ts'
import { shouldStart } from '../pod-worker/restart-rules.ts'
import { appliedAsResources } from '../resize/applied-as-resources.ts'

export type ContainerKind = 'init' | 'app' | 'ephemeral'

export const RESTARTING_ALL = 'RestartingAllContainers'
const REMOVED_FOR_RESTART = 'The container is removed because RestartAllContainers in place'
const UNKNOWN = 'ContainerStatusUnknown'
const NOT_LOCATED = 'The container could not be located when the pod was terminated'
const VANISHED =
  'The container could not be located when the pod was deleted.  The container used to be Running'
const ASSUMED_DONE =
  'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally'

export interface StatusInputs {
  pod: Pod
  observed: ObservedPod
  /** The status that the kubelet (or, after its restart, the API) had last. */
  previous: readonly ContainerStatus[]
  /** Scheme of container ids: 'kubernode'. */
  runtimeName: string
}

/** In spec order for init containers, by name for the others. */
export function containerStatuses(kind: ContainerKind, inputs: StatusInputs): ContainerStatus[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = inputs.pod.spec
  const specs = { init: initContainers, app: containers, ephemeral: ephemeralContainers }[kind]
  const statuses = specs.map(container => containerStatus(kind, container as Container, inputs))
  return kind === 'init'
    ? statuses
    : statuses.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function containerStatus(kind: ContainerKind, container: Container, inputs: StatusInputs): ContainerStatus {
  const old = inputs.previous.find(({ name }) => name === container.name)
  const mine = inputs.observed.containers.filter(({ name }) => name === container.name)
  const status = mine[0] ? fromRuntime(container, mine, old, inputs) : withoutRecord(container, old, inputs)
  return withStartFailure(kind, container, status, inputs)
}

/** The two newest records give state and lastState. */
function fromRuntime(
  container: Container,
  [newest, before]: ObservedContainer[],
  old: ContainerStatus | undefined,
  inputs: StatusInputs,
): ContainerStatus {
  const status = convert(container, newest!, old, inputs)
  return before ? { ...status, lastState: convert(container, before, old, inputs).state } : status
}

function convert(
  container: Container,
  observed: ObservedContainer,
  old: ContainerStatus | undefined,
  inputs: StatusInputs,
): ContainerStatus {
  const containerID = `${inputs.runtimeName}://${observed.id}`
  const lastState = carriedLastState(containerID, old)
  // After a restart of the kubelet the API's word stands for this very container until probes say otherwise.
  const same = observed.state === 'running' && old?.containerID === containerID
  const base: ContainerStatus = {
    name: container.name,
    state: {},
    lastState,
    ready: same && !!old?.ready,
    restartCount: Math.max(observed.restartCount, old?.restartCount ?? 0),
    image: observed.image,
    imageID: observed.imageRef,
    containerID,
    ...(same && old?.started !== undefined && { started: old.started }),
    ...resourcesOf(inputs.pod, container, observed, old),
    ...volumeMountsOf(container, old),
    ...(observed.user && { user: { linux: linuxUser(observed.user) } }),
    // Upstream shows it behind a gate that is off by default: here it shows where it was asked for.
    ...(container.lifecycle?.stopSignal && { stopSignal: container.lifecycle.stopSignal }),
  }
  return withState(base, observed, old, inputs.observed.restartingAll)
}

/** Restart-all removes records, so what ended before is carried over by hand. */
function carriedLastState(
  containerID: string,
  old: ContainerStatus | undefined,
): ContainerStatus['lastState'] {
  if (old?.state.terminated && old.containerID !== containerID) return { terminated: old.state.terminated }
  return old?.lastState.terminated ? { terminated: old.lastState.terminated } : {}
}

function withState(
  base: ContainerStatus,
  observed: ObservedContainer,
  old: ContainerStatus | undefined,
  restartingAll: boolean,
): ContainerStatus {
  switch (observed.state) {
    case 'running': {
      const anew =
        old?.state.terminated &&
        old.containerID !== base.containerID &&
        old.restartCount >= observed.restartCount
      const restartCount = anew ? old.restartCount + 1 : base.restartCount
      return { ...base, restartCount, state: { running: { startedAt: apiTime(observed.startedAt) } } }
    }
    case 'exited':
      return { ...base, state: { terminated: terminated(observed, base.containerID!) } }
    case 'unknown': {
      if (!old?.state.running) return { ...base, state: { waiting: {} } }
      const reason = restartingAll ? RESTARTING_ALL : UNKNOWN
      const state = { terminated: { exitCode: 137, reason, message: NOT_LOCATED } }
      return { ...base, restartCount: old.restartCount + 1, state }
    }
    case 'created':
      return { ...base, state: { waiting: {} } }
  }
}

function terminated(observed: ObservedContainer, containerID: string) {
  const { exitCode, reason, message, startedAt, finishedAt } = observed
  return {
    exitCode,
    ...(reason && { reason }),
    ...(message && { message }),
    // Also when it never started: 1970 is what is shown then.
    startedAt: apiTime(startedAt),
    ...(finishedAt > 0 && { finishedAt: apiTime(finishedAt) }),
    containerID,
  }
}

/** The runtime knows nothing of the container: it never ran, or its record is gone. */
function withoutRecord(
  container: Container,
  old: ContainerStatus | undefined,
  inputs: StatusInputs,
): ContainerStatus {
  if (inputs.observed.restartingAll && old && !old.state.waiting) return removedForRestart(container, old)
  if (old?.state.terminated) return old
  const status: ContainerStatus = {
    name: container.name,
    state: { waiting: { reason: defaultReason(inputs.pod) } },
    lastState: old?.lastState ?? {},
    ready: false,
    restartCount: old?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    ...volumeMountsOf(container, old),
  }
  if (inputs.observed.restartingAll && old?.state.waiting?.reason === RESTARTING_ALL)
    return { ...status, state: old.state }
  if (!old?.state.running || status.lastState.terminated) return status
  return {
    ...status,
    lastState: { terminated: { exitCode: 137, reason: UNKNOWN, message: VANISHED } },
    restartCount: status.restartCount + (inputs.pod.metadata.deletionTimestamp ? 0 : 1),
  }
}

function removedForRestart(container: Container, old: ContainerStatus): ContainerStatus {
  return {
    name: container.name,
    state: { waiting: { reason: RESTARTING_ALL, message: REMOVED_FOR_RESTART } },
    lastState: { terminated: { exitCode: 137, reason: RESTARTING_ALL, message: REMOVED_FOR_RESTART } },
    ready: false,
    restartCount: old.restartCount + 1,
    image: container.image ?? '',
    imageID: '',
    ...volumeMountsOf(container, old),
  }
}

const defaultReason = ({ spec }: Pod) =>
  spec.initContainers?.length || legacySidecars(spec).length > 0 ? 'PodInitializing' : 'ContainerCreating'

/** A container that is to run but failed to start shows why, and its last exit moves to lastState. */
function withStartFailure(
  kind: ContainerKind,
  container: Container,
  status: ContainerStatus,
  { pod, observed }: StatusInputs,
): ContainerStatus {
  if (kind === 'init') {
    const newest = newestOf(observed, container.name)
    if (newest?.state === 'exited' && newest.exitCode === 0 && !isSidecar(container)) return status
    const created = pod.spec.containers.some(({ name }) => newestOf(observed, name))
    if (!newest && created && !isSidecar(container) && status.state.waiting) {
      return { ...status, state: { terminated: { exitCode: 0, reason: 'Completed', message: ASSUMED_DONE } } }
    }
  }
  const failure = observed.startFailures[container.name]
  if (!failure || !shouldStart(container, pod, observed)) return status
  const { reason, message } = failure
  const lastState = status.state.terminated ? { terminated: status.state.terminated } : status.lastState
  return { ...status, state: { waiting: { reason, ...(message && { message }) } }, lastState }
}

/** What is granted, and what is applied: the same unless a resize is being carried out. */
function resourcesOf(
  pod: Pod,
  container: Container | EphemeralContainer,
  observed: ObservedContainer,
  old: ContainerStatus | undefined,
): Partial<ContainerStatus> {
  const { requests, limits } = container.resources ?? {}
  const granted = { ...(limits && { limits }), ...(requests && { requests }) }
  const resources = appliedAsResources(pod, container as Container, observed, granted, old?.resources)
  return { ...(requests && { allocatedResources: requests }), ...(resources && { resources }) }
}

function volumeMountsOf(container: Container, old: ContainerStatus | undefined): Partial<ContainerStatus> {
  if (old?.volumeMounts) return { volumeMounts: old.volumeMounts }
  const volumeMounts = (container.volumeMounts ?? []).map(
    ({ name, mountPath, readOnly, recursiveReadOnly }): VolumeMountStatus => ({
      name,
      mountPath,
      ...(readOnly && {
        readOnly,
        recursiveReadOnly: (recursiveReadOnly ?? 'Disabled') === 'Disabled' ? 'Disabled' : 'Enabled',
      }),
    }),
  )
  return volumeMounts.length > 0 ? { volumeMounts } : {}
}

function linuxUser({
  uid,
  gid,
  supplementalGroups,
}: {
  uid: number
  gid: number
  supplementalGroups: number[]
}) {
  return { uid, gid, ...(supplementalGroups.length > 0 && { supplementalGroups }) }
}
