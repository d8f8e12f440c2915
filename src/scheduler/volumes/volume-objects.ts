// Volumes and claims as plugins see them: what the API says, and what was decided and is being written.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { CSINode, StorageClass } from '../../api/types/storage-v1.ts'

export interface VolumeObjects {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  volumesOfClass(className: string): readonly PersistentVolume[]
  storageClass(name: string): StorageClass | undefined
  csiNode(name: string): CSINode | undefined
}

/** For worlds without volumes. */
export const noVolumes: VolumeObjects = {
  claim: () => undefined,
  volume: () => undefined,
  volumesOfClass: () => [],
  storageClass: () => undefined,
  csiNode: () => undefined,
}
