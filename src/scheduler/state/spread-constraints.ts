// A Pod's topologySpreadConstraints, or those of the cluster where it has none.
// Upstream: podtopologyspread/common.go, plugin.go (systemDefaultConstraints).
import { type LabelMatcher, matcherOf } from '../../api/labels.ts'
import { matchesNodeSelector } from '../../api/pod/node-affinity.ts'
import { toleratesTaint } from '../../api/pod/tolerations.ts'
import type { Pod, TopologySpreadConstraint } from '../../api/types/core-v1.ts'
import type { ClusterObjects, Siblings } from './cluster-view.ts'
import type { NodeInfo } from './node-info.ts'
import { oneText } from './one-text.ts'

export interface SpreadConstraint {
  topologyKey: string
  maxSkew: number
  minDomains: number
  /** Which labels are meant. */
  matches: LabelMatcher
  /** Which Pods count, those of the namespace that are not on their way out; the same text means the same Pods. */
  countedKey: string
  isCounted: (pod: Pod) => boolean
  honorsAffinity: boolean
  honorsTaints: boolean
}

export const HOSTNAME = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

type Action = 'DoNotSchedule' | 'ScheduleAnyway'

/** The cluster's own constraints only score, so a Pod without constraints has none that filter. */
export function constraintsOf(pod: Pod, action: Action): SpreadConstraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map(constraint => compiled(constraint, pod))
}

/** For Pods of a Service or controller that say nothing themselves. */
export function defaultConstraints(pod: Pod, objects: ClusterObjects): SpreadConstraint[] {
  const siblings = objects.siblingsOf(pod)
  if (!siblings) return []
  const common = {
    minDomains: 1,
    honorsAffinity: true,
    honorsTaints: false,
    ...counting(pod, siblings),
  }
  return [
    { topologyKey: HOSTNAME, maxSkew: 3, ...common },
    { topologyKey: ZONE, maxSkew: 5, ...common },
  ]
}

function compiled(constraint: TopologySpreadConstraint, pod: Pod): SpreadConstraint {
  const { topologyKey, maxSkew, minDomains = 1, labelSelector } = constraint
  return {
    topologyKey,
    maxSkew,
    minDomains,
    ...counting(pod, { key: JSON.stringify(labelSelector ?? null), matches: matcherOf(labelSelector) }),
    honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorsTaints: (constraint.nodeTaintsPolicy ?? 'Ignore') === 'Honor',
  }
}

/** Whether Pods on the node count for the constraint. Upstream: matchNodeInclusionPolicies. */
export function countsNode({ honorsAffinity, honorsTaints }: SpreadConstraint, pod: Pod, { node }: NodeInfo) {
  if (honorsAffinity && !matchesNodeSelector(pod, node)) return false
  return (
    !honorsTaints ||
    (node.spec.taints ?? [])
      .filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute')
      .every(taint => toleratesTaint(pod.spec.tolerations ?? [], taint))
  )
}

export const hasAllKeys = (constraints: readonly SpreadConstraint[], { labels }: NodeInfo) =>
  constraints.every(({ topologyKey }) => labels[topologyKey] !== undefined)

function counting({ metadata: { namespace = '' } }: Pod, { key, matches }: Siblings) {
  return {
    matches,
    countedKey: oneText(`${namespace} ${key}`),
    isCounted: ({ metadata }: Pod) =>
      metadata.namespace === namespace && !metadata.deletionTimestamp && matches(metadata.labels),
  }
}
