// A pod's cgroup values (section 8.3). Upstream: cm/helpers_linux.go ResourceConfigForPod.
import { qosClass } from '../../api/pod/qos.ts'
import { podLimits, podRequests } from '../../api/pod/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { cpuQuota, cpuShares } from '../containers/linux-resources.ts'

export interface CgroupLimits {
  cpuShares: number
  /** Microseconds per 100 ms; undefined is no limit. */
  cpuQuota?: number
  memoryBytes?: number
  /** The most processes. */
  pids?: number
}

export function podCgroupLimits(pod: Pod): CgroupLimits {
  const requests = podRequests(pod)
  const limits = podLimits(pod)
  const qos = qosClass(pod.spec)
  if (qos === 'BestEffort') return { cpuShares: 2 }
  const shares = cpuShares((requests.get('cpu') ?? limits.get('cpu'))?.milliValue() ?? 0)
  const cpu = limits.get('cpu')?.milliValue() ?? 0
  const memory = limits.get('memory')?.value() ?? 0
  return {
    cpuShares: shares,
    ...(cpu > 0 && (qos === 'Guaranteed' || everyOneDeclares(pod, 'cpu')) && { cpuQuota: cpuQuota(cpu) }),
    ...(memory > 0 && (qos === 'Guaranteed' || everyOneDeclares(pod, 'memory')) && { memoryBytes: memory }),
  }
}

/** One container without a limit makes the whole pod unlimited, unless the pod itself has one. */
function everyOneDeclares({ spec }: Pod, resource: 'cpu' | 'memory'): boolean {
  if (spec.resources?.limits?.[resource] !== undefined) return true
  return [...(spec.initContainers ?? []), ...spec.containers].every(
    ({ resources }) => resources?.limits?.[resource] !== undefined,
  )
}

/** '/NAME/kubepods/burstable/podUID'. */
export function podCgroupPath(root: string, pod: Pod): string {
  const qos = qosClass(pod.spec)
  const middle = qos === 'Guaranteed' ? '' : `/${qos.toLowerCase()}`
  return `${root}/kubepods${middle}/pod${pod.metadata.uid}`
}
