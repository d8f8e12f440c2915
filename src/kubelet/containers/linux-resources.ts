// Requests and limits as cgroup values. Upstream: kuberuntime_container_linux.go, cm/helpers_linux.go, qos/policy.go.
import { qosClass } from '../../api/pod/qos.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Container, Pod, ResourceRequirements } from '../../api/types/core-v1.ts'
import type { LinuxContainerResources } from '../../runtime/cri/cri.generated.ts'

export const CPU_PERIOD_US = 100_000
const MIN_SHARES = 2
const MAX_SHARES = 262_144
const MIN_QUOTA_US = 1_000

export function cpuShares(milliCpu: number): number {
  return milliCpu === 0
    ? MIN_SHARES
    : Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milliCpu * 1024) / 1000)))
}

/** 0 is no quota. */
export function cpuQuota(milliCpu: number): number {
  return milliCpu === 0 ? 0 : Math.max(MIN_QUOTA_US, Math.floor((milliCpu * CPU_PERIOD_US) / 1000))
}

/** What of the node decides about containers' cgroups. */
export interface CgroupFacts {
  memoryCapacityBytes: number
  /** cgroup v2. */
  unifiedCgroups: boolean
}

/** A container without a limit of its own has the pod's. */
export function containerResources(
  pod: Pod,
  container: Container,
  { memoryCapacityBytes, unifiedCgroups }: CgroupFacts,
): LinuxContainerResources {
  const { requests, limits: own } = container.resources ?? ({} as ResourceRequirements)
  const limits = { ...pod.spec.resources?.limits, ...own }
  const amount = (list: Record<string, string> | undefined, name: string) =>
    Quantity.parse(list?.[name] ?? '0')
  const cpuLimit = amount(limits, 'cpu').milliValue()
  const cpuRequest =
    requests?.cpu === undefined && cpuLimit > 0 ? cpuLimit : amount(requests, 'cpu').milliValue()
  const memoryLimit = amount(limits, 'memory').value()
  return {
    cpuPeriod: CPU_PERIOD_US,
    cpuQuota: cpuQuota(cpuLimit),
    cpuShares: cpuShares(cpuRequest),
    memoryLimitInBytes: memoryLimit,
    // No swap: the sum of memory and swap is the memory limit.
    ...(memoryLimit > 0 && { memorySwapLimitInBytes: memoryLimit }),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacityBytes),
    ...hugepageLimits(own),
    // One process beyond the limit takes the whole container along: nothing half-dead goes on.
    ...(unifiedCgroups && { unified: { 'memory.oom.group': '1' } }),
  }
}

/** 'hugepages-2Mi' is the kernel's '2MB'. */
function hugepageLimits(limits: Record<string, string> | undefined): Partial<LinuxContainerResources> {
  const hugepages = Object.entries(limits ?? {}).filter(([name]) => name.startsWith('hugepages-'))
  if (hugepages.length === 0) return {}
  return {
    hugepageLimits: hugepages.map(([name, amount]) => ({
      pageSize: `${name.slice('hugepages-'.length).replace(/i$/, '')}B`,
      limit: Quantity.parse(amount).value(),
    })),
  }
}

const SYSTEM_NODE_CRITICAL = 2_000_001_000

/** The smaller a container's share of the memory it asked for, the sooner it goes. */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if ((pod.spec.priority ?? 0) >= SYSTEM_NODE_CRITICAL) return -997
  const qos = qosClass(pod.spec)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const memoryOf = ({ resources }: Container) => Quantity.parse(resources?.requests?.memory ?? '0').value()
  const isInit = pod.spec.initContainers?.some(({ name }) => name === container.name)
  const candidates =
    isInit && container.restartPolicy === 'Always' ? [container, ...pod.spec.containers] : [container]
  // A sidecar is not killed before the apps it serves.
  const memory = Math.max(...candidates.map(memoryOf))
  const score = 1000 - Math.floor((1000 * memory) / Math.max(1, memoryCapacityBytes))
  return Math.min(999, Math.max(3, score))
}
