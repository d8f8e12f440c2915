// Volumes and claims as plugins see them: what the API says, and what was decided and is being written.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '../../api/types/storage-v1.ts'

export interface VolumeObjects {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  volumesOfClass(className: string): readonly PersistentVolume[]
  storageClass(name: string): StorageClass | undefined
  csiNode(name: string): CSINode | undefined
  csiDriver(name: string): CSIDriver | undefined
  /** What is left for volumes of the class, here and there. */
  capacitiesOfClass(className: string): readonly CSIStorageCapacity[]
  /** To the node, whether a Pod there needs them or not. */
  attachmentsAt(nodeName: string): readonly VolumeAttachment[]
}

/** For worlds without volumes. */
export const noVolumes: VolumeObjects = {
  claim: () => undefined,
  volume: () => undefined,
  volumesOfClass: () => [],
  storageClass: () => undefined,
  csiNode: () => undefined,
  csiDriver: () => undefined,
  capacitiesOfClass: () => [],
  attachmentsAt: () => [],
}
