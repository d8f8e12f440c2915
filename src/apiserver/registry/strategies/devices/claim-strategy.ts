import type { KubeObject } from '../../../../api/kube-object.ts'
import type { AllocatedDeviceStatus, ResourceClaim } from '../../../../api/types/resource-v1.ts'
import type { UpdateStrategy, WriteContext } from '../../strategy.ts'
import { DefaultStrategy, StatusStrategy } from '../default-strategy.ts'

/** What drivers tell of a device goes with the device. Upstream: pkg/registry/resource/resourceclaim/strategy.go. */
export class ResourceClaimStrategy extends DefaultStrategy {
  override readonly status: UpdateStrategy = new ClaimStatusStrategy(true)
}

class ClaimStatusStrategy extends StatusStrategy {
  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    super.prepareForUpdate(object, old, context)
    const status = (object as unknown as ResourceClaim).status ?? {}
    const [has, had] = [status, (old as unknown as ResourceClaim).status ?? {}].map(
      ({ allocation }) => new Set(allocation?.devices.results?.map(idOf)),
    )
    const { devices, ...rest } = status
    const kept = devices?.filter(device => has!.has(idOf(device)) || !had!.has(idOf(device)))
    object.status = { ...rest, ...(kept && kept.length > 0 && { devices: kept }) }
  }
}

/** Upstream: dropDeallocatedStatusDevices. */
const idOf = ({ driver, pool, device }: Pick<AllocatedDeviceStatus, 'driver' | 'pool' | 'device'>) =>
  `${driver}/${pool}/${device}`
