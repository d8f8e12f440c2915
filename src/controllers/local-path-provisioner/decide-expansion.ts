// What a claim that asks for more than it has needs next. Pure. Upstream: external-resizer's controller, and
// pkg/volume/util/resize_util.go for what the claim's status shows meanwhile.
import { Quantity } from '../../api/quantity.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'

export type ExpansionStep =
  | { do: 'nothing' }
  /** The volume is too small still. */
  | { do: 'grow'; size: string }
  /** It is large enough: what uses it on the node has to be told. */
  | { do: 'handToNode' }

const AT_NODE = new Set(['NodeResizePending', 'NodeResizeInProgress'])

export function decideExpansion(
  { metadata, spec, status }: PersistentVolumeClaim,
  volume: PersistentVolume,
): ExpansionStep {
  const size = (text: string | undefined) => Quantity.parse(text ?? '0')
  const wanted = size(spec.resources?.requests?.storage)
  if (
    status.phase !== 'Bound' ||
    metadata.deletionTimestamp ||
    wanted.compare(size(status.capacity?.storage)) <= 0
  )
    return { do: 'nothing' }
  if (wanted.compare(size(volume.spec.capacity?.storage)) > 0) return { do: 'grow', size: wanted.toString() }
  return AT_NODE.has(status.allocatedResourceStatuses?.storage ?? '')
    ? { do: 'nothing' }
    : { do: 'handToNode' }
}

/** `time` as the API writes it. */
export function growingStatus(
  { status }: PersistentVolumeClaim,
  size: string,
  time: string,
): PersistentVolumeClaim['status'] {
  return expanding(status, size, 'ControllerResizeInProgress', { type: 'Resizing', lastTransitionTime: time })
}

export function pendingStatus(
  { spec, status }: PersistentVolumeClaim,
  time: string,
): PersistentVolumeClaim['status'] {
  const message = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.'
  const condition = { type: 'FileSystemResizePending', lastTransitionTime: time, message }
  return expanding(status, spec.resources.requests!.storage!, 'NodeResizePending', condition)
}

const OURS = new Set(['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError'])

function expanding(
  status: PersistentVolumeClaim['status'],
  size: string,
  state: 'ControllerResizeInProgress' | 'NodeResizePending',
  condition: { type: string; lastTransitionTime: string; message?: string },
): PersistentVolumeClaim['status'] {
  return {
    ...status,
    allocatedResources: { ...status.allocatedResources, storage: size },
    allocatedResourceStatuses: { ...status.allocatedResourceStatuses, storage: state },
    conditions: [
      ...(status.conditions ?? []).filter(({ type }) => !OURS.has(type)),
      { ...condition, status: 'True' as const },
    ],
  }
}
