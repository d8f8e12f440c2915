// Whom a node under pressure takes. Pure. Upstream: eviction_manager.go Admit.
import { qosClass } from '../../api/pod/qos.ts'
import { toleratesTaint } from '../../api/pod/tolerations.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { isCritical } from '../eviction/rank-pods.ts'
import type { NodePressures } from '../node/node-conditions.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'

const MEMORY_TAINT = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' as const }

/** Undefined: the pod is taken. Short of memory alone, the node takes those that ask for some. */
export function refusedUnderPressure(pod: Pod, pressures: NodePressures): FailWords | undefined {
  const conditions = [
    ...(pressures.memoryPressure ? ['MemoryPressure'] : []),
    ...(pressures.diskPressure ? ['DiskPressure'] : []),
    ...(pressures.pidPressure ? ['PIDPressure'] : []),
  ]
  if (conditions.length === 0 || isCritical({ pod, priority: pod.spec.priority ?? 0 })) return undefined
  if (conditions.join() === 'MemoryPressure') {
    const isBestEffort = qosClass(pod.spec) === 'BestEffort'
    if (!isBestEffort || toleratesTaint(pod.spec.tolerations ?? [], MEMORY_TAINT)) return undefined
  }
  return {
    reason: 'Evicted',
    message: `Pod was rejected: The node had condition: [${conditions.join(' ')}]. `,
  }
}
