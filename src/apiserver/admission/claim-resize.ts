// Claims grow only where their class allows it. Upstream: plugin/pkg/admission/storage/persistentvolume/resize.
import { Quantity } from '../../api/quantity.ts'
import type { PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { StorageClass } from '../../api/types/storage-v1.ts'
import { type AdmissionPlugin, isResource, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const OLD_STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class'

export function claimResize(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate(attributes) {
      const { operation, subresource, object, oldObject } = attributes
      if (!isResource(attributes, 'persistentvolumeclaims') || operation !== 'UPDATE' || subresource) return
      const [claim, old] = [object, oldObject].map(one => one as unknown as PersistentVolumeClaim)
      const [wanted, had] = [sizeOf(claim!), sizeOf(old!)]
      if (!wanted || !had || wanted.compare(had) <= 0) return
      if (old!.status?.phase !== 'Bound')
        throw refuse(attributes, 'Only bound persistent volume claims can be expanded')
      const name = claim!.metadata.annotations?.[OLD_STORAGE_CLASS] ?? claim!.spec.storageClassName
      const storageClass = name
        ? (lookup.find('storage.k8s.io/storageclasses', name) as unknown as StorageClass | undefined)
        : undefined
      if (storageClass?.allowVolumeExpansion) return
      throw refuse(
        attributes,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
    },
  }
}

function sizeOf({ spec }: PersistentVolumeClaim): Quantity | undefined {
  const size = spec.resources?.requests?.storage
  return size === undefined ? undefined : Quantity.parse(size)
}
