import type { LinuxContainerResources } from '../../runtime/cri/cri.generated.ts'

/** The part of a container's resources that a resize changes. */
export interface AppliedResources {
  cpuShares: number
  /** Microseconds per period; 0 is unlimited. */
  cpuQuota: number
  /** 0 is unlimited. */
  memoryBytes: number
}

export function appliedResources(resources: LinuxContainerResources): AppliedResources {
  const { cpuShares = 0, cpuQuota = 0, memoryLimitInBytes = 0 } = resources
  return { cpuShares, cpuQuota: Math.max(0, cpuQuota), memoryBytes: memoryLimitInBytes }
}
