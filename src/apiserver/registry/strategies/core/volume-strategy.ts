import type { KubeObject } from '../../../../api/kube-object.ts'
import type { WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

/** PersistentVolumes and claims begin Pending. Upstream: pkg/registry/core/persistentvolume{,claim}/strategy.go. */
export class PendingVolumeStrategy extends DefaultStrategy {
  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    object.status = { phase: 'Pending' }
  }
}
