// What the runtime says it applies, in the words of the API. Upstream: kubelet_pods.go convertContainerStatusResources.
import type { Container, Pod, ResourceRequirements } from '../../api/types/core-v1.ts'
import { CPU_PERIOD_US } from '../containers/linux-resources.ts'
import type { ObservedContainer } from '../pod-worker/observed-pod.ts'
import { grantedResources, needsOtherRequest } from './decide-resize.ts'

const SHARES_PER_CPU = 1024

/**
 * `granted` itself where it is applied. Undefined where the runtime does not tell: then nothing can be resized. `shown`
 * is what the status told last: a request of memory goes on being told while its limit is not applied.
 */
export function appliedAsResources(
  pod: Pod,
  container: Container,
  observed: Pick<ObservedContainer, 'state' | 'resources' | 'memoryRequest'>,
  granted: ResourceRequirements,
  shown?: ResourceRequirements,
): ResourceRequirements | undefined {
  const { state, resources: applied, memoryRequest } = observed
  if (state !== 'running') return granted
  if (!applied) return undefined
  const wanted = grantedResources(pod, container)
  const limits = { ...granted.limits }
  const requests = { ...granted.requests }
  if (applied.cpuQuota !== wanted.cpuQuota && applied.cpuQuota > 0)
    limits.cpu = `${Math.round((applied.cpuQuota * 1000) / CPU_PERIOD_US)}m`
  if (applied.memoryBytes !== wanted.memoryBytes && applied.memoryBytes > 0) {
    limits.memory = inBinary(applied.memoryBytes)
    if (shown?.requests?.memory) requests.memory = shown.requests.memory
  }
  if (applied.cpuShares !== wanted.cpuShares && requests.cpu !== undefined)
    requests.cpu = `${Math.ceil((applied.cpuShares * 1000) / SHARES_PER_CPU)}m`
  if (memoryRequest && needsOtherRequest(container, observed)) requests.memory = memoryRequest
  return {
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(Object.keys(requests).length > 0 && { requests }),
  }
}

/** The largest unit that leaves no rest. */
function inBinary(bytes: number): string {
  for (const [unit, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const) {
    if (bytes % size === 0) return `${bytes / size}${unit}`
  }
  return String(bytes)
}
