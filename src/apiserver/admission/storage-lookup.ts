import type { Storage } from '../../storage/storage.ts'
import type { ObjectLookup } from './object-lookup.ts'

const PRIORITY_CLASSES = '/registry/scheduling.k8s.io/priorityclasses/'

/** Reads where the registry writes (its prefixOf). */
export function storageLookup(storage: Storage): ObjectLookup {
  return {
    namespace: name => storage.get(`/registry/namespaces/${name}`)?.object,
    pod: (namespace, name) => storage.get(`/registry/pods/${namespace}/${name}`)?.object,
    node: name => storage.get(`/registry/nodes/${name}`)?.object,
    serviceAccount: (namespace, name) =>
      storage.get(`/registry/serviceaccounts/${namespace}/${name}`)?.object,
    priorityClass: name => storage.get(PRIORITY_CLASSES + name)?.object,
    async priorityClasses() {
      const { items } = await storage.list(PRIORITY_CLASSES)
      return items.map(({ object }) => object)
    },
  }
}
