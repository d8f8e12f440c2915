// The limits of an OCI spec: processor, memory, devices.
import type { ContainerConfig } from '../../cri/cri.generated.ts'
import type { OciDevice } from './devices.ts'

export interface ResourceInput {
  config: ContainerConfig
  /** Beside the usual ones. */
  devices: readonly OciDevice[]
  /** A cgroup namespace hides the rest of the tree; only the unified hierarchy needs it. */
  unifiedCgroups: boolean
  /** False where the machine cannot. */
  limitsHugepages: boolean
}

/** What the container may use of the machine. */
export function resourcesOf({ config, unifiedCgroups, limitsHugepages, devices }: ResourceInput): object {
  const resources = config.linux?.resources ?? {}
  const {
    cpuShares,
    cpuQuota,
    cpuPeriod,
    cpusetCpus,
    cpusetMems,
    memoryLimitInBytes,
    memorySwapLimitInBytes,
  } = resources
  const some = <T>(value: T | undefined) => value || undefined
  return {
    cpu: {
      shares: some(cpuShares),
      quota: some(cpuQuota),
      period: some(cpuPeriod),
      cpus: some(cpusetCpus),
      mems: some(cpusetMems),
    },
    // Swap stays unlimited unless it is limited to the memory limit itself.
    memory: {
      limit: some(memoryLimitInBytes),
      swap: some(memorySwapLimitInBytes) ?? some(memoryLimitInBytes),
    },
    ...(limitsHugepages &&
      resources.hugepageLimits?.length && {
        hugepageLimits: resources.hugepageLimits.map(({ pageSize, limit = 0 }) => ({ pageSize, limit })),
      }),
    ...(unifiedCgroups &&
      resources.unified &&
      Object.keys(resources.unified).length > 0 && { unified: resources.unified }),
    devices: deviceRules({ config, devices }),
  }
}

function deviceRules({ config, devices }: Pick<ResourceInput, 'config' | 'devices'>): object[] {
  if (config.linux?.securityContext?.privileged) return [{ allow: true, access: 'rwm' }]
  const usual = [
    ['c', 1, 3],
    ['c', 1, 5],
    ['c', 1, 7],
    ['c', 1, 8],
    ['c', 1, 9],
    ['c', 5, 0],
    ['c', 5, 2],
    ['c', 136, undefined],
  ] as const
  return [
    { allow: false, access: 'rwm' },
    ...usual.map(([type, major, minor]) => ({ allow: true, type, major, minor, access: 'rwm' })),
    ...devices.map(({ type, major, minor, access }) => ({ allow: true, type, major, minor, access })),
  ]
}
