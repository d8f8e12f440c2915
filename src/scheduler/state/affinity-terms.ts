// A Pod's affinity and anti-affinity to other Pods, read once per object. matchLabelKeys are part of the selectors
// already when a Pod comes out of the API server. Upstream: framework.AffinityTerm.
import { type LabelMatcher, type Labels, matcherOf } from '../../api/labels.ts'
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../api/types/core-v1.ts'

export interface AffinityTerm {
  topologyKey: string
  /** 0 for required terms. */
  weight: number
  /** By a selector, so that it depends on their labels. */
  selectsNamespaces: boolean
  matches(other: Pod, namespaceLabels: (name: string) => Labels | undefined): boolean
}

export interface AffinityTerms {
  /**
   * The same for Pods that want the same; undefined when it depends on the labels of namespaces too. So what they
   * find among the same Pods is the same.
   */
  likeness: string | undefined
  requiredAffinity: readonly AffinityTerm[]
  requiredAntiAffinity: readonly AffinityTerm[]
  preferredAffinity: readonly AffinityTerm[]
  preferredAntiAffinity: readonly AffinityTerm[]
}

const NONE: AffinityTerms = {
  likeness: '',
  requiredAffinity: [],
  requiredAntiAffinity: [],
  preferredAffinity: [],
  preferredAntiAffinity: [],
}
const cache = new WeakMap<Pod, AffinityTerms>()

export function affinityTermsOf(pod: Pod): AffinityTerms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  if (!podAffinity && !podAntiAffinity) return NONE
  const known = cache.get(pod)
  if (known) return known
  const required = (terms: PodAffinityTerm[] = []) => terms.map(term => compiled(term, pod, 0))
  const preferred = (terms: WeightedPodAffinityTerm[] = []) =>
    terms.map(({ weight, podAffinityTerm }) => compiled(podAffinityTerm, pod, weight))
  const terms: Omit<AffinityTerms, 'likeness'> = {
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  }
  const selectsNamespaces = listsOf(terms).some(list => list.some(term => term.selectsNamespaces))
  const text = JSON.stringify([pod.metadata.namespace, podAffinity, podAntiAffinity])
  const all = { ...terms, likeness: selectsNamespaces ? undefined : text }
  cache.set(pod, all)
  return all
}

export const hasPodAffinity = (pod: Pod): boolean =>
  listsOf(affinityTermsOf(pod)).some(terms => terms.length > 0)

const listsOf = (terms: Omit<AffinityTerms, 'likeness'>): (readonly AffinityTerm[])[] => [
  terms.requiredAffinity,
  terms.requiredAntiAffinity,
  terms.preferredAffinity,
  terms.preferredAntiAffinity,
]

/** Without namespaces and a selector of namespaces a term means the Pod's own. */
function compiled(term: PodAffinityTerm, { metadata }: Pod, weight: number): AffinityTerm {
  const { topologyKey, labelSelector, namespaceSelector, namespaces = [] } = term
  const own = namespaces.length === 0 && !namespaceSelector ? [metadata.namespace ?? ''] : namespaces
  const names = new Set(own)
  const inNamespaces: LabelMatcher = matcherOf(namespaceSelector)
  const matchesLabels = matcherOf(labelSelector)
  return {
    topologyKey,
    weight,
    selectsNamespaces: namespaceSelector !== undefined,
    matches: (other, namespaceLabels) => {
      const namespace = other.metadata.namespace ?? ''
      const isThere =
        names.has(namespace) || (namespaceSelector !== undefined && inNamespaces(namespaceLabels(namespace)))
      return isThere && matchesLabels(other.metadata.labels)
    },
  }
}
