import type { KubeObject } from '../../../../api/kube-object.ts'
import { formatTime } from '../../../../api/time.ts'
import type { ResourceSlice } from '../../../../api/types/resource-v1.ts'
import type { WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

/**
 * Taints say since when they are there. Upstream: SetDefaults_DeviceTaint, pkg/registry/resource/resourceslice/strategy.go.
 */
export class ResourceSliceStrategy extends DefaultStrategy {
  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    addTimes(object, context)
    super.prepareForCreate(object, context)
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    addTimes(object, context)
    super.prepareForUpdate(object, old, context)
  }
}

function addTimes(object: KubeObject, { now }: WriteContext): void {
  const { spec } = object as unknown as ResourceSlice
  for (const { taints = [] } of spec.devices ?? []) {
    for (const taint of taints) taint.timeAdded ??= formatTime(now)
  }
}
