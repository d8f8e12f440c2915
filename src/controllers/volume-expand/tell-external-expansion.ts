// Tells claims that are to grow who will see to it: what serves the volume does, as external-resizer for CSI drivers.
// Upstream: pkg/controller/volume/expand, of which nothing else is left.
import { Quantity } from '../../api/quantity.ts'
import { persistentVolumeClaims } from '../../api/resources.ts'
import type { PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import type { ControllerContext } from '../controller-context.ts'

/** More is asked for than it has, and that is new. Pure. */
export function isToGrow(claim: PersistentVolumeClaim, before?: PersistentVolumeClaim): boolean {
  const { spec, status } = claim
  if (status.phase !== 'Bound' || !spec.volumeName) return false
  const size = (text: string | undefined) => Quantity.parse(text ?? '0')
  const wanted = size(spec.resources?.requests?.storage)
  if (before && size(before.spec.resources?.requests?.storage).compare(wanted) >= 0) return false
  return wanted.compare(size(status.capacity?.storage)) > 0
}

/** Resolves when the signal aborts. */
export async function runTellExternalExpansion(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const recorder = new EventRecorder({ client, component: 'volume_expand', clock, log })
  const claims = new Informer({ client, resource: persistentVolumeClaims, clock, log })
  const message = 'waiting for an external controller to expand this PVC'
  const seen = (claim: PersistentVolumeClaim, before?: PersistentVolumeClaim) => {
    if (isToGrow(claim, before)) recorder.event(claim, 'Normal', 'ExternalExpanding', message)
  }
  claims.addHandler({ add: claim => seen(claim), update: (before, claim) => seen(claim, before) })
  await claims.run(signal)
}
