// What follows when nothing of a pod runs any more (section 5.2.5): volumes and cgroup go, then the object; records
// and logs stay until the object is gone.
import { pods } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { ObservedPod } from './observed-pod.ts'
import { removeAllRecords } from './record-remover.ts'
import type { WorkerParts } from './worker-parts.ts'

/** `isRemoved` tells whether the API still has the pod, as of when it is asked. Answers whether nothing is left. */
export async function finishPod(
  pod: Pod,
  observed: ObservedPod,
  isRemoved: () => boolean,
  parts: WorkerParts,
): Promise<boolean> {
  const { volumes, cgroups, userNamespaces, statuses, images, probes } = parts
  const { uid, deletionTimestamp } = pod.metadata
  await volumes.tearDown(uid)
  cgroups.remove(uid)
  userNamespaces.release(uid)
  images.forget(uid)
  probes.forget(uid)
  if (isRemoved()) {
    await removeAllRecords(pod, observed, parts)
    return true
  }
  if (!deletionTimestamp) return false
  await statuses.settled(uid)
  if (!isRemoved()) await deleteObject(pod, parts)
  return false
}

async function deleteObject({ metadata }: Pod, { client }: WorkerParts): Promise<void> {
  const { name, namespace, uid } = metadata
  const key = { name, ...(namespace && { namespace }) }
  try {
    await client.delete(pods, key, { gracePeriodSeconds: 0, preconditions: { uid } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
