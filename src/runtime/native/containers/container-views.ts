// A container's record as the CRI shows it.
import type * as cri from '../../cri/cri.generated.ts'
import { formatReference, parseReference } from '../images/reference.ts'
import type { ContainerRecord } from './container-record.ts'

export function containerSummary(record: ContainerRecord): cri.Container {
  const { id, sandboxId, config, imageId, imageRef, state, createdAt } = record
  return {
    id,
    podSandboxId: sandboxId,
    metadata: config.metadata,
    image: shownImage(config.image),
    imageRef,
    imageId,
    state,
    createdAt,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  }
}

export function containerStatus(record: ContainerRecord): cri.ContainerStatus {
  const { config, createdAt, startedAt, finishedAt, exitCode, reason, message, logPath, user } = record
  const resources = config.linux?.resources
  return {
    ...containerSummary(record),
    startedAt,
    finishedAt,
    exitCode,
    reason,
    message,
    logPath,
    mounts: config.mounts ?? [],
    createdAt,
    ...(resources && { resources: { linux: resources } }),
    ...(user && { user: { linux: user } }),
    stopSignal: record.stopSignal as cri.Signal,
  }
}

/** The name that the container was asked for, in full, as containerd shows it; an id when that is no name. */
function shownImage({ image, userSpecifiedImage }: cri.ImageSpec): cri.ImageSpec {
  const wanted = userSpecifiedImage || image
  try {
    return { image: formatReference(parseReference(wanted)) }
  } catch {
    return { image: wanted }
  }
}
