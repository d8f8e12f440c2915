// The node's part when a claim grows: what is in use is told its new size, and the claim shows it.
// Upstream: pkg/volume/util/operationexecutor/node_expander.go, MarkFSResizeFinished.

import { Quantity } from '../../api/quantity.ts'
import { persistentVolumeClaims } from '../../api/resources.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import { CsiError } from './csi/csi-client.ts'
import { persistentCsiVolume } from './csi/csi-volume.ts'
import type { VolumeParts } from './volume-plugin.ts'

const WAITING = new Set(['NodeResizePending', 'NodeResizeInProgress'])
const OVER = new Set(['FileSystemResizePending', 'Resizing'])

/** The node still has to do something for the claim. Older resizers say so by a condition only. Pure. */
export function isNodeExpansionDue({ status }: PersistentVolumeClaim, { spec }: PersistentVolume): boolean {
  const said = status.allocatedResourceStatuses?.storage
  const isPending = status.conditions?.some(({ type }) => type === 'FileSystemResizePending') ?? false
  if (said === undefined ? !isPending : !WAITING.has(said)) return false
  const size = (text: string | undefined) => Quantity.parse(text ?? '0')
  return size(spec.capacity?.storage).compare(size(status.capacity?.storage)) > 0
}

/** The claim's status when the volume has its new size everywhere. Pure. */
export function expandedStatus(
  { status }: PersistentVolumeClaim,
  { spec }: PersistentVolume,
): PersistentVolumeClaim['status'] {
  const { conditions = [], allocatedResourceStatuses, ...rest } = status
  const { storage: _, ...others } = allocatedResourceStatuses ?? {}
  const kept = conditions.filter(({ type }) => !OVER.has(type))
  return {
    ...rest,
    capacity: { ...rest.capacity, storage: spec.capacity!.storage! },
    ...(kept.length > 0 && { conditions: kept }),
    ...(Object.keys(others).length > 0 && { allocatedResourceStatuses: others }),
  }
}

export async function expandClaim(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  pod: Pod,
  parts: VolumeParts,
): Promise<void> {
  const { client, devices, events, facts } = parts
  if (!isNodeExpansionDue(claim, volume)) return
  if (volume.spec.volumeMode === 'Block' && volume.spec.local) devices.grow(volume.spec.local.path)
  if (volume.spec.csi && !(await expandCsiVolume(claim, volume, pod, parts))) return
  const status = expandedStatus(claim, volume)
  await client.update(persistentVolumeClaims, { ...claim, status }, { subresource: 'status' })
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${volume.metadata.name}" ${facts.nodeName}`
  events.tell(pod, 'Normal', 'FileSystemResizeSuccessful', message)
  events.tellAbout(
    { kind: 'PersistentVolumeClaim', apiVersion: 'v1', ...referenceOf(claim) },
    'Normal',
    'FileSystemResizeSuccessful',
    message,
  )
}

/** Answers false when the driver could not: that is told, and not asked again when it cannot ever. */
async function expandCsiVolume(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  pod: Pod,
  { client, csi, events }: VolumeParts,
): Promise<boolean> {
  try {
    const requiredBytes = Quantity.parse(volume.spec.capacity?.storage ?? '0').value()
    await csi.expand(pod, persistentCsiVolume(volume, false), requiredBytes)
    return true
  } catch (error) {
    const message = `NodeExpandVolume.NodeExpandVolume failed for volume "${volume.metadata.name}" : ${(error as Error).message}`
    events.tell(pod, 'Warning', 'VolumeResizeFailed', message)
    const said = claim.status.allocatedResourceStatuses
    if (said?.storage === undefined || !(error instanceof CsiError && error.isInfeasible)) return false
    const status = {
      ...claim.status,
      allocatedResourceStatuses: { ...said, storage: 'NodeResizeInfeasible' as const },
    }
    await client.update(persistentVolumeClaims, { ...claim, status }, { subresource: 'status' })
    return false
  }
}

const referenceOf = ({
  metadata: { name, namespace = '', uid, resourceVersion = '' },
}: PersistentVolumeClaim) => ({
  name,
  namespace,
  uid,
  resourceVersion,
})
