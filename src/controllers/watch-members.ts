// Whom a change concerns, for the controllers that write down which pods stand behind a Service.
import type { Pod, Service } from '../api/types/core-v1.ts'
import type { ObjectMeta } from '../api/types/meta-v1.ts'
import type { Informer, InformerHandler } from '../client/informer.ts'
import { keyOf } from '../client/lister.ts'
import { servicesOf, servicesTouched } from './service-membership.ts'
import type { WrittenObjects } from './written-objects.ts'

/** Calls `add` with the key of each Service that changed, or whose pods changed in a way that matters. */
export function watchMembers(
  services: Informer<Service>,
  pods: Informer<Pod>,
  add: (service: string) => void,
): void {
  services.addHandler({
    add: service => add(keyOf(service)),
    update: (_, service) => add(keyOf(service)),
    delete: service => add(keyOf(service)),
  })
  const addOf = (pod: Pod) => servicesOf(pod, services.lister).forEach(add)
  pods.addHandler({
    add: addOf,
    update: (old, pod) => servicesTouched(old, pod, services.lister).forEach(add),
    delete: addOf,
  })
}

/** What was written comes back, or somebody else touches it: its owner is looked at again, before and after. */
export function writtenHandler<T extends { metadata: ObjectMeta }>(
  written: WrittenObjects<T>,
  ownerOf: (object: T) => string,
  add: (owner: string) => void,
): InformerHandler<T> {
  return {
    add: object => add(ownerOf(object)),
    update: (old, object) => {
      add(ownerOf(old))
      add(ownerOf(object))
    },
    delete: object => {
      written.disappeared(ownerOf(object), object)
      add(ownerOf(object))
    },
  }
}
