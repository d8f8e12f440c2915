import { toleratesTaint } from '../../api/pod/tolerations.ts'
import type { Node, Pod, Taint } from '../../api/types/core-v1.ts'
import { normalizeToMax, type Plugin, unresolvable } from '../framework.ts'

/**
 * Turns away nodes with a taint that the Pod does not tolerate; prefers few PreferNoSchedule taints.
 * Upstream: tainttoleration.
 */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  filter(pod, { node }) {
    return isTolerated(pod, node) ? undefined : unresolvable('node(s) had untolerated taint(s)')
  },
  prepareScore(_pod, feasible) {
    return feasible.some(({ node }) => mildTaints(node).length > 0) ? { state: undefined } : 'skip'
  },
  score(pod, { node }) {
    const tolerations = (pod.spec.tolerations ?? []).filter(
      ({ effect }) => !effect || effect === 'PreferNoSchedule',
    )
    return mildTaints(node).filter(taint => !toleratesTaint(tolerations, taint)).length
  },
  normalize: scores => normalizeToMax(scores, true),
  mayHelp(event, pod) {
    if (event.what === 'podChanged') return event.aspects.has('tolerations')
    if (event.what === 'nodeAdded') return isTolerated(pod, event.node)
    if (event.what !== 'nodeChanged' || !event.aspects.has('taints')) return false
    return isTolerated(pod, event.node) && !isTolerated(pod, event.old)
  },
}

const NONE: readonly Taint[] = []

function mildTaints({ spec }: Node): readonly Taint[] {
  return spec.taints ? spec.taints.filter(({ effect }) => effect === 'PreferNoSchedule') : NONE
}

/** Every taint that keeps Pods away or drives them out. */
function isTolerated(pod: Pod, { spec }: Node): boolean {
  return (spec.taints ?? NONE)
    .filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute')
    .every(taint => toleratesTaint(pod.spec.tolerations ?? [], taint))
}
