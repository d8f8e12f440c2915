// A volume that is deleted while it is bound stays until its claim is gone. Upstream: pkg/controller/volume/pvprotection.
import { persistentVolumes } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { PersistentVolume } from '../../api/types/core-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { finalizersAfter } from './finalizers-after.ts'

export const VOLUME_PROTECTION = 'kubernetes.io/pv-protection'

/** Resolves when the signal aborts. */
export async function runVolumeProtection(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const volumes = new Informer<PersistentVolume>({ client, resource: persistentVolumes, clock, log })
  const enqueue = ({ metadata }: PersistentVolume) => queue.add(metadata.name)
  volumes.addHandler({ add: enqueue, update: (_, volume) => enqueue(volume) })
  const reconcile = async (name: string) => {
    const volume = volumes.lister.find(name)
    if (!volume) return
    const finalizers = finalizersAfter(volume, VOLUME_PROTECTION, volume.status.phase === 'Bound')
    if (!finalizers) return
    try {
      await client.update(persistentVolumes, { ...volume, metadata: { ...volume.metadata, finalizers } })
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }
  await runController({ informers: [volumes], queue, reconcile, signal, log })
}
