// New volumes and claims get the finalizer that keeps them while they are used; src/controllers/volume-protection takes
// it away. Upstream: plugin/pkg/admission/storage/storageobjectinuseprotection.
import { type AdmissionPlugin, isResource } from './admission.ts'

const FINALIZERS: Record<string, string> = {
  persistentvolumes: 'kubernetes.io/pv-protection',
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(attributes) {
    const { operation, subresource, object, resource } = attributes
    const finalizer = FINALIZERS[resource.resource]
    if (!finalizer || !isResource(attributes, resource.resource) || subresource || operation !== 'CREATE')
      return
    const { metadata } = object!
    if (!metadata.finalizers?.includes(finalizer))
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
  },
}
