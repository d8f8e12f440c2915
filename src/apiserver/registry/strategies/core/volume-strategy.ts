import type { KubeObject } from '../../../../api/kube-object.ts'
import { formatTime } from '../../../../api/time.ts'
import type { UpdateStrategy, WriteContext } from '../../strategy.ts'
import { DefaultStrategy, StatusStrategy } from '../default-strategy.ts'

/** PersistentVolumeClaims begin Pending. Upstream: pkg/registry/core/persistentvolumeclaim/strategy.go. */
export class PendingVolumeStrategy extends DefaultStrategy {
  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    object.status = { phase: 'Pending' }
  }
}

/** PersistentVolumes also tell since when they are in their phase. Upstream: pkg/registry/core/persistentvolume. */
export class PersistentVolumeStrategy extends PendingVolumeStrategy {
  override readonly status: UpdateStrategy = new PersistentVolumeStatusStrategy(true)

  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    object.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(context.now) }
  }
}

interface PhaseStatus {
  phase?: string
  lastPhaseTransitionTime?: string
}

class PersistentVolumeStatusStrategy extends StatusStrategy {
  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    super.prepareForUpdate(object, old, context)
    const [status = {}, before = {}] = [object.status, old.status] as (PhaseStatus | undefined)[]
    const isNewTime =
      status.lastPhaseTransitionTime !== undefined &&
      status.lastPhaseTransitionTime !== before.lastPhaseTransitionTime
    if (isNewTime) return
    const lastPhaseTransitionTime =
      status.phase === before.phase ? before.lastPhaseTransitionTime : formatTime(context.now)
    object.status = { ...status, ...(lastPhaseTransitionTime && { lastPhaseTransitionTime }) }
  }
}
