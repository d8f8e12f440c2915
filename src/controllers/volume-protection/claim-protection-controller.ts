// A claim that is deleted while a Pod uses it stays until no Pod does. Upstream: pkg/controller/volume/pvcprotection.
import { persistentVolumeClaims, pods as podResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { byClaim, claimKeysOf } from '../persistent-volume/claims-of-pods.ts'
import { finalizersAfter } from './finalizers-after.ts'

export const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection'

/** Resolves when the signal aborts. */
export async function runClaimProtection(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const claims = new Informer<PersistentVolumeClaim>({ client, resource: persistentVolumeClaims, clock, log })
  const pods = new Informer<Pod>({ client, resource: podResource, clock, log, indexers: byClaim })
  const enqueue = (claim: PersistentVolumeClaim) => queue.add(keyOf(claim))
  claims.addHandler({ add: enqueue, update: (_, claim) => enqueue(claim) })
  const podLeft = (pod: Pod) => {
    for (const key of claimKeysOf(pod)) queue.add(key)
  }
  pods.addHandler({ update: (_, pod) => podLeft(pod), delete: podLeft })
  const reconcile = async (key: string) => {
    const claim = claims.lister.findByKey(key)
    if (!claim) return
    const isUsed = pods.lister.byIndex('claim', key).some(({ spec }) => spec.nodeName)
    const finalizers = finalizersAfter(claim, CLAIM_PROTECTION, isUsed)
    if (!finalizers) return
    try {
      const wanted = { ...claim, metadata: { ...claim.metadata, finalizers } }
      await client.update(persistentVolumeClaims, wanted)
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }
  const informers = [claims, pods]
  await runController({ informers, queue, reconcile, signal, log })
}
