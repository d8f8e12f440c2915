// What a controller that counts its Pods does when its informer shows one: settles what was expected, and enqueues whom
// it concerns. Upstream: addPod, updatePod and deletePod of the ReplicaSet and DaemonSet controllers.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import type { InformerHandler } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import type { WorkQueue } from '../../client/workqueue.ts'
import { controllerOf } from './claim.ts'
import type { Expectations } from './expectations.ts'

type Owned = { metadata: ObjectMeta }

export interface ExpectingHandlerParts {
  queue: WorkQueue<string>
  expectations: Expectations
  /** Who of the controller's objects owns the Pod. */
  ownerOf(pod: Pod): Owned | undefined
  /** Enqueues who may want a Pod that nobody controls. */
  enqueueSelecting(pod: Pod): void
}

export function expectingHandler(parts: ExpectingHandlerParts): InformerHandler<Pod> {
  return {
    add: pod => added(parts, pod),
    update: (old, pod) => changed(parts, old, pod),
    delete: pod => gone(parts, pod),
  }
}

function added(parts: ExpectingHandlerParts, pod: Pod): void {
  const owner = parts.ownerOf(pod)
  if (pod.metadata.deletionTimestamp) gone(parts, pod)
  else if (owner) {
    parts.expectations.creationObserved(keyOf(owner))
    parts.queue.add(keyOf(owner))
  } else if (!controllerOf(pod)) parts.enqueueSelecting(pod)
}

function changed(parts: ExpectingHandlerParts, old: Pod, pod: Pod): void {
  const { ownerOf, queue } = parts
  if (old.metadata.uid !== pod.metadata.uid) {
    gone(parts, old)
    added(parts, pod)
    return
  }
  const before = ownerOf(old)
  const owner = ownerOf(pod)
  if (before && before !== owner) queue.add(keyOf(before))
  if (pod.metadata.deletionTimestamp) gone(parts, pod)
  else if (owner) queue.add(keyOf(owner))
  else if (!controllerOf(pod)) parts.enqueueSelecting(pod)
}

function gone({ ownerOf, expectations, queue }: ExpectingHandlerParts, pod: Pod): void {
  const owner = ownerOf(pod)
  if (!owner) return
  expectations.deletionObserved(keyOf(owner), keyOf(pod))
  queue.add(keyOf(owner))
}
