import { matchesNodeSelector, matchesNodeSelectorTerm } from '../../api/pod/node-affinity.ts'
import { normalizeToMax, type Plugin, unresolvable } from '../framework.ts'

/** nodeSelector and required node affinity filter; preferred affinity scores. Upstream: nodeaffinity. */
export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  weight: 2,
  wakesOn: ['nodeAdded', 'nodeChanged', 'podChanged'],
  filter(pod, { node }) {
    return matchesNodeSelector(pod, node)
      ? undefined
      : unresolvable("node(s) didn't match Pod's node affinity/selector")
  },
  score(pod, { node }) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return preferred
      .filter(({ preference }) => matchesNodeSelectorTerm(preference, node))
      .reduce((sum, { weight }) => sum + weight, 0)
  },
  normalize: scores => normalizeToMax(scores),
}
