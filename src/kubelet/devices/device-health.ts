// The health of the devices that containers have, as the pod's status shows it. Upstream: devicemanager
// UpdateAllocatedResourcesStatus.
import type { ContainerStatus, Pod, ResourceStatus } from '../../api/types/core-v1.ts'
import { HEALTHY } from './device-plugin-api.ts'
import { idsOf } from './given-devices.ts'
import type { NodeDevices } from './node-devices.ts'

export function devicesOfStatus(
  pod: Pod,
  { name }: Pick<ContainerStatus, 'name'>,
  devices: NodeDevices,
): ResourceStatus[] {
  return devices.givenTo(pod.metadata.uid, name).map(given => ({
    name: given.resource,
    resources: idsOf(given).map(resourceID => {
      // One that is not listed (any more) is taken to be well, as upstream has it.
      const health = devices.device(given.resource, resourceID)?.health ?? HEALTHY
      return { resourceID, health: health === HEALTHY ? 'Healthy' : 'Unhealthy' }
    }),
  }))
}
