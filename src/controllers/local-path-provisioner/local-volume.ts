import type { Draft } from '../../api/kube-object.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { StorageClass } from '../../api/types/storage-v1.ts'
import { DEFAULT_CLASS, PROVISIONED_BY } from '../persistent-volume/volume-facts.ts'

/** The provisioner's name. */
export const LOCAL_PATH = 'kubernode.io/local-path'

/** The class that claims get which ask for none. The volume is made where the first Pod that uses it runs. */
export const localPathClass: Draft<StorageClass> = {
  metadata: { name: 'local-path', annotations: { [DEFAULT_CLASS]: 'true' } },
  provisioner: LOCAL_PATH,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
}

export interface LocalVolumeOptions {
  name: string
  path: string
  storageClass: StorageClass
  nodeName: string
}

/** For this claim only, and only on the node that has the directory. */
export function localVolume(
  { metadata, spec }: PersistentVolumeClaim,
  { name, path, storageClass, nodeName }: LocalVolumeOptions,
): Draft<PersistentVolume> {
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In' as const, values: [nodeName] }
  return {
    metadata: { name, annotations: { [PROVISIONED_BY]: LOCAL_PATH } },
    spec: {
      capacity: { storage: spec.resources?.requests?.storage ?? '0' },
      accessModes: [...(spec.accessModes ?? [])],
      claimRef: {
        ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
        ...{ namespace: metadata.namespace!, name: metadata.name, uid: metadata.uid },
      },
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      volumeMode: spec.volumeMode ?? 'Filesystem',
    },
  }
}
