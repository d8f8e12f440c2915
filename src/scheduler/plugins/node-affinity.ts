import { matchesNodeSelector, matchesNodeSelectorTerm } from '../../api/pod/node-affinity.ts'
import type { NodeSelectorTerm, Pod, PreferredSchedulingTerm } from '../../api/types/core-v1.ts'
import { normalizeToMax, type Plugin, type Prepared, unresolvable } from '../framework.ts'

/** nodeSelector and required node affinity filter; preferred affinity scores. Upstream: nodeaffinity. */
export const nodeAffinity: Plugin<void, readonly PreferredSchedulingTerm[]> = {
  name: 'NodeAffinity',
  weight: 2,
  prepare(pod) {
    const { required } = wishesOf(pod)
    if (!required && !pod.spec.nodeSelector) return { skip: true }
    return required ? namedNodes(required) : {}
  },
  filter(pod, { node }) {
    return matchesNodeSelector(pod, node)
      ? undefined
      : unresolvable("node(s) didn't match Pod's node affinity/selector")
  },
  prepareScore(pod) {
    const { preferred } = wishesOf(pod)
    return preferred.length > 0 ? { state: preferred } : 'skip'
  },
  score(_pod, { node }, preferred) {
    return preferred
      .filter(({ preference }) => matchesNodeSelectorTerm(preference, node))
      .reduce((sum, { weight }) => sum + weight, 0)
  },
  normalize: scores => normalizeToMax(scores),
  mayHelp(event, pod) {
    if (event.what === 'nodeAdded') return matchesNodeSelector(pod, event.node)
    if (event.what !== 'nodeChanged' || !event.aspects.has('labels')) return false
    return matchesNodeSelector(pod, event.node) && !matchesNodeSelector(pod, event.old)
  },
}

function wishesOf({ spec }: Pod) {
  const affinity = spec.affinity?.nodeAffinity
  return {
    required: affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
    preferred: affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
  }
}

/** When every alternative names its nodes, as a DaemonSet's Pods do, only those are looked at. */
function namedNodes(terms: readonly NodeSelectorTerm[]): Prepared<void> {
  let all = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const lists = matchFields
      .filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
      .map(({ values = [] }) => new Set(values))
    const [first, ...others] = lists
    if (!first) return {}
    all = all.union(others.reduce((names, more) => names.intersection(more), first))
  }
  return all.size > 0 ? { onlyNodes: all } : { rejection: unresolvable('pod affinity terms conflict') }
}
