// What plugins add to a container's configuration. Upstream: devicemanager deviceRunContainerOptions, and how
// kubelet_pods.go GenerateRunContainerOptions puts it together.
import type { CDIDevice, Device, Mount } from '../../runtime/cri/cri.generated.ts'
import type { ContainerAllocation } from '../devices/device-plugin-api.ts'
import { onThisMachine } from './kubelet-folder.ts'

export interface ContainerAdditions {
  /** The container's own come after them. */
  envs: ReadonlyMap<string, string>
  mounts: readonly Mount[]
  devices: readonly Device[]
  annotations: Readonly<Record<string, string>>
  cdiDevices: readonly CDIDevice[]
}

export const NO_ADDITIONS: ContainerAdditions = {
  envs: new Map(),
  mounts: [],
  devices: [],
  annotations: {},
  cdiDevices: [],
}

/** Where two say something of the same thing, the first holds. `claimed` are CDI devices of claims. */
export function additionsOf(
  allocations: readonly ContainerAllocation[],
  claimed: readonly string[],
  rootDir: string,
): ContainerAdditions {
  const envs = allocations.flatMap(one => Object.entries(one.envs))
  const mounts = allocations.flatMap(one => one.mounts)
  const devices = allocations.flatMap(one => one.devices)
  const annotations = allocations.flatMap(one => Object.entries(one.annotations))
  const cdi = [...allocations.flatMap(one => one.cdiDevices.map(({ name }) => name)), ...claimed]
  return {
    envs: new Map(envs.toReversed()),
    mounts: firstOf(mounts).map(({ containerPath, hostPath, readOnly }) => ({
      containerPath,
      hostPath: onThisMachine(hostPath, rootDir),
      readonly: readOnly,
      selinuxRelabel: false,
    })),
    devices: firstOf(devices),
    annotations: Object.fromEntries(annotations.toReversed()),
    cdiDevices: [...new Set(cdi)].map(name => ({ name })),
  }
}

/** One for each path in the container. */
const firstOf = <T extends { containerPath: string }>(list: readonly T[]): T[] =>
  list.filter((one, index) => list.findIndex(other => other.containerPath === one.containerPath) === index)
