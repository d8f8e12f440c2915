import { toleratesTaint } from '../../api/pod/tolerations.ts'
import type { Pod, Taint } from '../../api/types/core-v1.ts'
import { normalizeToMax, type Plugin, unresolvable } from '../framework.ts'

/** Turns away nodes with a taint that the Pod does not tolerate; prefers few PreferNoSchedule taints. Upstream: tainttoleration. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  wakesOn: ['nodeAdded', 'nodeChanged'],
  filter(pod, { node }) {
    const taints = (node.spec.taints ?? []).filter(
      ({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute',
    )
    return untolerated(pod, taints).length > 0 ? unresolvable('node(s) had untolerated taint(s)') : undefined
  },
  score(pod, { node }) {
    return untolerated(
      pod,
      (node.spec.taints ?? []).filter(({ effect }) => effect === 'PreferNoSchedule'),
    ).length
  },
  normalize: scores => normalizeToMax(scores, true),
}

function untolerated(pod: Pod, taints: readonly Taint[]): Taint[] {
  return taints.filter(taint => !toleratesTaint(pod.spec.tolerations ?? [], taint))
}
