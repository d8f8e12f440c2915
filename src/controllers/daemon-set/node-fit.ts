// Whether a DaemonSet has a Pod on a node. Pure. Upstream: NodeShouldRunDaemonPod.
import { matchesNodeSelector } from '../../api/pod/node-affinity.ts'
import { toleratesTaint } from '../../api/pod/tolerations.ts'
import type { DaemonSet } from '../../api/types/apps-v1.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { daemonTolerations } from './daemon-pod.ts'

export interface NodeFit {
  shouldRun: boolean
  /** One that runs there already may stay. */
  mayStay: boolean
}

export function nodeFit({ spec }: DaemonSet, node: Node): NodeFit {
  const { spec: podSpec } = spec.template
  const isNamed = !podSpec.nodeName || podSpec.nodeName === node.metadata.name
  if (!isNamed || !matchesNodeSelector({ spec: podSpec } as Pod, node))
    return { shouldRun: false, mayStay: false }
  const tolerations = daemonTolerations(podSpec)
  const untolerated = (node.spec.taints ?? [])
    .filter(({ effect }) => effect === 'NoExecute' || effect === 'NoSchedule')
    .filter(taint => !toleratesTaint(tolerations, taint))
  if (untolerated.length === 0) return { shouldRun: true, mayStay: true }
  return { shouldRun: false, mayStay: !untolerated.some(({ effect }) => effect === 'NoExecute') }
}
