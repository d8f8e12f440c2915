import type { Storage } from '../../storage/storage.ts'
import type { ObjectLookup } from './object-lookup.ts'

const PRIORITY_CLASSES = '/registry/scheduling.k8s.io/priorityclasses/'

/** Reads where the registry writes (its prefixOf). */
export function storageLookup(storage: Storage): ObjectLookup {
  const list = async (prefix: string) => (await storage.list(prefix)).items.map(({ object }) => object)
  return {
    listIn: (resource, namespace) => list(`/registry/${resource}/${namespace}/`),
    listAll: resource => list(`/registry/${resource}/`),
    find: (resource, name) => storage.get(`/registry/${resource}/${name}`)?.object,
    findIn: (resource, namespace, name) => storage.get(`/registry/${resource}/${namespace}/${name}`)?.object,
    namespace: name => storage.get(`/registry/namespaces/${name}`)?.object,
    pod: (namespace, name) => storage.get(`/registry/pods/${namespace}/${name}`)?.object,
    node: name => storage.get(`/registry/nodes/${name}`)?.object,
    serviceAccount: (namespace, name) =>
      storage.get(`/registry/serviceaccounts/${namespace}/${name}`)?.object,
    priorityClass: name => storage.get(PRIORITY_CLASSES + name)?.object,
    priorityClasses: () => list(PRIORITY_CLASSES),
  }
}
