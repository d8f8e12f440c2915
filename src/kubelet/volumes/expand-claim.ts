// The node's part when a claim grows: what is in use is told its new size, and the claim shows it.
// Upstream: pkg/volume/util/operationexecutor/node_expander.go, MarkFSResizeFinished.

import { Quantity } from '../../api/quantity.ts'
import { persistentVolumeClaims } from '../../api/resources.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import type { VolumeParts } from './volume-plugin.ts'

const WAITING = new Set(['NodeResizePending', 'NodeResizeInProgress'])
const OVER = new Set(['FileSystemResizePending', 'Resizing'])

/** What the node still has to do for the claim. Pure. */
export function isNodeExpansionDue({ status }: PersistentVolumeClaim, { spec }: PersistentVolume): boolean {
  if (!WAITING.has(status.allocatedResourceStatuses?.storage ?? '')) return false
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
  { client, devices, events, facts }: VolumeParts,
): Promise<void> {
  if (!isNodeExpansionDue(claim, volume)) return
  if (volume.spec.volumeMode === 'Block' && volume.spec.local) devices.grow(volume.spec.local.path)
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

const referenceOf = ({
  metadata: { name, namespace = '', uid, resourceVersion = '' },
}: PersistentVolumeClaim) => ({
  name,
  namespace,
  uid,
  resourceVersion,
})
