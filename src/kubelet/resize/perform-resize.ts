// Carries out what decide-resize.ts found. The pod's cgroup grows before its containers' and shrinks after them, so
// that it is never smaller than what is in it. Upstream: kuberuntime_manager.go doPodResizeAction.
import type { Pod } from '../../api/types/core-v1.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { PodCgroups } from '../cgroups/pod-cgroups.ts'
import { CPU_PERIOD_US } from '../containers/linux-resources.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'
import type { ContainerResize } from './decide-resize.ts'

export interface ResizeHands {
  runtime: Pick<RuntimeService, 'updateContainerResources' | 'containerStats'>
  cgroups: PodCgroups
}

/** Answers what kept it from being done, undefined when it is done. Throws only when the signal aborts. */
export async function performResize(
  pod: Pod,
  updates: readonly ContainerResize[],
  { runtime, cgroups }: ResizeHands,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const refused = await tooLittleMemory(updates, runtime, signal)
    if (refused.length > 0) return `cannot decrease memory limits: ${refused.join(', ')}`
    cgroups.widen(pod)
    for (const { id, to } of updates) {
      const linux = {
        cpuPeriod: CPU_PERIOD_US,
        cpuShares: to.cpuShares,
        cpuQuota: to.cpuQuota,
        memoryLimitInBytes: to.memoryBytes,
        ...(to.memoryBytes > 0 && { memorySwapLimitInBytes: to.memoryBytes }),
      }
      await runtime.updateContainerResources({ containerId: id, linux, annotations: {} }, signal)
    }
    cgroups.ensure(pod)
    return undefined
  } catch (error) {
    if (signal.aborted) throw signal.reason
    return runtimeErrorText(error)
  }
}

/** A limit below what is in use would kill, or fail halfway. */
async function tooLittleMemory(
  updates: readonly ContainerResize[],
  runtime: ResizeHands['runtime'],
  signal: AbortSignal,
): Promise<string[]> {
  const shrinking = updates.filter(
    ({ from, to }) => to.memoryBytes > 0 && (from.memoryBytes === 0 || to.memoryBytes < from.memoryBytes),
  )
  const problems = shrinking.map(async ({ id, name, to }) => {
    const { stats } = await runtime.containerStats({ containerId: id }, signal)
    const usage = stats.memory?.usageBytes?.value ?? 0
    return usage >= to.memoryBytes
      ? `attempting to set container "${name}" memory limit (${to.memoryBytes}) below current usage (${usage})`
      : ''
  })
  return (await Promise.all(problems)).filter(Boolean)
}
