// Claims and Ingresses that name no class get the default one.
// Upstream: plugin/pkg/admission/storage/storageclass/setdefault and plugin/pkg/admission/network/defaultingressclass.
import type { KubeObject } from '../../api/kube-object.ts'
import type { PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { Ingress } from '../../api/types/networking-v1.ts'
import { type AdmissionPlugin, isResource } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const STORAGE_DEFAULT = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]
const INGRESS_DEFAULT = ['ingressclass.kubernetes.io/is-default-class']
const OLD_STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class'
const OLD_INGRESS_CLASS = 'kubernetes.io/ingress.class'

export function defaultStorageClass(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    async admit(attributes) {
      const { operation, subresource, object } = attributes
      if (!isResource(attributes, 'persistentvolumeclaims') || operation !== 'CREATE' || subresource) return
      const { metadata, spec } = object as unknown as PersistentVolumeClaim
      // '' asks for no class at all.
      if (spec.storageClassName !== undefined || metadata.annotations?.[OLD_STORAGE_CLASS] !== undefined)
        return
      const chosen = newestDefault(await lookup.listAll('storage.k8s.io/storageclasses'), STORAGE_DEFAULT)
      if (chosen) spec.storageClassName = chosen
    },
  }
}

export function defaultIngressClass(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    async admit(attributes) {
      const { operation, subresource, object } = attributes
      if (!isResource(attributes, 'ingresses', 'networking.k8s.io') || operation !== 'CREATE' || subresource)
        return
      const { metadata, spec } = object as unknown as Ingress
      if (spec?.ingressClassName !== undefined || metadata.annotations?.[OLD_INGRESS_CLASS] !== undefined)
        return
      const chosen = newestDefault(await lookup.listAll('networking.k8s.io/ingressclasses'), INGRESS_DEFAULT)
      if (chosen && spec) spec.ingressClassName = chosen
    },
  }
}

/** Of several the newest, then the first by name. */
function newestDefault(classes: readonly KubeObject[], annotations: readonly string[]): string | undefined {
  const isDefault = ({ metadata }: KubeObject) =>
    annotations.some(name => metadata.annotations?.[name] === 'true')
  const made = ({ metadata }: KubeObject) => Date.parse(metadata.creationTimestamp ?? '')
  return classes
    .filter(isDefault)
    .sort((a, b) => made(b) - made(a) || (a.metadata.name < b.metadata.name ? -1 : 1))[0]?.metadata.name
}
