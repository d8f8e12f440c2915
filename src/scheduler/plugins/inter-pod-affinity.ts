// Which Pods a Pod wants beside it, or not; what Pods that are there already require counts too.
// Upstream: pkg/scheduler/framework/plugins/interpodaffinity.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ClusterEvent } from '../cluster-event.ts'
import { MAX_SCORE, type Plugin, type Rejection, unresolvable, unschedulable } from '../framework.ts'
import { type AffinityTerm, affinityTermsOf } from '../state/affinity-terms.ts'
import type { ClusterView } from '../state/cluster-view.ts'
import type { NodeInfo } from '../state/node-info.ts'
import { PairCounts } from '../state/pair-counts.ts'

interface Counts {
  /** Pods that match all affinity terms of the Pod. */
  affinity: PairCounts
  /** Pods that match an anti-affinity term of the Pod. */
  antiAffinity: PairCounts
  /** Anti-affinity terms of other Pods that match the Pod. */
  othersAntiAffinity: PairCounts
  cluster: ClusterView
}

/** Topology key → value → score. */
type TopologyScores = Map<string, Map<string, number>>

/** How much somebody else's required affinity to the Pod counts. Upstream: HardPodAffinityWeight's default. */
const HARD_WEIGHT = 1

export const interPodAffinity: Plugin<Counts, TopologyScores> = {
  name: 'InterPodAffinity',
  weight: 2,
  prepare(pod, cluster) {
    const { requiredAffinity, requiredAntiAffinity } = affinityTermsOf(pod)
    const counts: Counts = {
      affinity: new PairCounts(),
      antiAffinity: new PairCounts(),
      othersAntiAffinity: new PairCounts(),
      cluster,
    }
    for (const node of cluster.nodesWithAntiAffinity)
      for (const other of node.podsWithAntiAffinity.values()) countOthers(counts, pod, other, node, 1)
    const hasTerms = requiredAffinity.length > 0 || requiredAntiAffinity.length > 0
    if (!hasTerms && counts.othersAntiAffinity.isEmpty) return { skip: true }
    if (hasTerms)
      for (const node of cluster.nodes)
        for (const other of node.pods.values()) countOwn(counts, pod, other, node, 1)
    return { state: counts }
  },
  filter: (pod, node, counts) => verdict(pod, node, counts),
  copy: ({ affinity, antiAffinity, othersAntiAffinity, cluster }) => ({
    affinity: affinity.copy(),
    antiAffinity: antiAffinity.copy(),
    othersAntiAffinity: othersAntiAffinity.copy(),
    cluster,
  }),
  change(counts, pod, other, node, by) {
    countOthers(counts, pod, other, node, by)
    countOwn(counts, pod, other, node, by)
  },
  prepareScore(pod, _feasible, cluster) {
    const scores = topologyScores(pod, cluster)
    return scores.size > 0 ? { state: scores } : 'skip'
  },
  score(_pod, { labels }, scores) {
    let sum = 0
    for (const [key, values] of scores) {
      const value = labels[key]
      if (value !== undefined) sum += values.get(value) ?? 0
    }
    return sum
  },
  normalize(scores) {
    const [least, most] = [Math.min(...scores), Math.max(...scores)]
    for (const [index, score] of scores.entries())
      scores[index] = most > least ? Math.floor((MAX_SCORE * (score - least)) / (most - least)) : 0
  },
  mayHelp: (event, pod) => mayHelp(event, pod),
}

function countOthers(
  { othersAntiAffinity, cluster }: Counts,
  pod: Pod,
  other: Pod,
  node: NodeInfo,
  by: number,
) {
  for (const term of affinityTermsOf(other).requiredAntiAffinity) {
    const value = node.labels[term.topologyKey]
    if (value !== undefined && term.matches(pod, cluster.objects.namespaceLabels))
      othersAntiAffinity.add(term.topologyKey, value, by)
  }
}

function countOwn(
  { affinity, antiAffinity, cluster }: Counts,
  pod: Pod,
  other: Pod,
  node: NodeInfo,
  by: number,
) {
  const { requiredAffinity, requiredAntiAffinity } = affinityTermsOf(pod)
  const isMeant = (term: AffinityTerm) => term.matches(other, cluster.objects.namespaceLabels)
  if (requiredAffinity.length > 0 && requiredAffinity.every(isMeant))
    count(affinity, requiredAffinity, node, by)
  if (requiredAntiAffinity.length > 0) count(antiAffinity, requiredAntiAffinity.filter(isMeant), node, by)
}

function count(counts: PairCounts, terms: readonly AffinityTerm[], { labels }: NodeInfo, by: number): void {
  for (const { topologyKey } of terms) {
    const value = labels[topologyKey]
    if (value !== undefined) counts.add(topologyKey, value, by)
  }
}

function verdict(pod: Pod, { labels }: NodeInfo, counts: Counts): Rejection | undefined {
  const { requiredAffinity, requiredAntiAffinity } = affinityTermsOf(pod)
  if (!satisfiesAffinity(pod, requiredAffinity, labels, counts))
    return unresolvable("node(s) didn't match pod affinity rules")
  const isTaken = ({ topologyKey }: AffinityTerm) => {
    const value = labels[topologyKey]
    return value !== undefined && counts.antiAffinity.get(topologyKey, value) > 0
  }
  if (requiredAntiAffinity.some(isTaken)) return unschedulable("node(s) didn't match pod anti-affinity rules")
  if (counts.othersAntiAffinity.isEmpty) return undefined
  for (const [key, value] of Object.entries(labels)) {
    if (counts.othersAntiAffinity.get(key, value) > 0)
      return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")
  }
  return undefined
}

/** The first Pod of a group that wants to be together has nobody to go to: it may go anywhere. */
function satisfiesAffinity(
  pod: Pod,
  terms: readonly AffinityTerm[],
  labels: NodeInfo['labels'],
  { affinity, cluster }: Counts,
): boolean {
  if (terms.some(({ topologyKey }) => labels[topologyKey] === undefined)) return false
  if (terms.every(({ topologyKey }) => affinity.get(topologyKey, labels[topologyKey]!) > 0)) return true
  return affinity.isEmpty && terms.every(term => term.matches(pod, cluster.objects.namespaceLabels))
}

function topologyScores(pod: Pod, cluster: ClusterView): TopologyScores {
  const { preferredAffinity, preferredAntiAffinity } = affinityTermsOf(pod)
  const hasWishes = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0
  const { namespaceLabels } = cluster.objects
  const scores: TopologyScores = new Map()
  for (const node of hasWishes ? cluster.nodes : cluster.nodesWithPodAffinity) {
    const add = (terms: readonly AffinityTerm[], meant: Pod, sign: number, weight?: number) => {
      for (const term of terms) {
        const value = node.labels[term.topologyKey]
        if (value === undefined || !term.matches(meant, namespaceLabels)) continue
        const values = scores.get(term.topologyKey) ?? new Map<string, number>()
        scores.set(term.topologyKey, values)
        values.set(value, (values.get(value) ?? 0) + sign * (weight ?? term.weight))
      }
    }
    for (const other of (hasWishes ? node.pods : node.podsWithAffinity).values()) {
      const theirs = affinityTermsOf(other)
      add(preferredAffinity, other, 1)
      add(preferredAntiAffinity, other, -1)
      add(theirs.requiredAffinity, pod, 1, HARD_WEIGHT)
      add(theirs.preferredAffinity, pod, 1)
      add(theirs.preferredAntiAffinity, pod, -1)
    }
  }
  return scores
}

/** Labels of namespaces are not known here: a term with a selector of namespaces is taken to match. */
const anyNamespace = () => undefined

function mayHelp(event: ClusterEvent, pod: Pod): boolean {
  const { requiredAffinity, requiredAntiAffinity } = affinityTermsOf(pod)
  const keysOf = (terms: readonly AffinityTerm[]) => terms.map(({ topologyKey }) => topologyKey)
  switch (event.what) {
    case 'podAssigned':
      return requiredAffinity.some(term => mayMean(term, event.pod))
    case 'assignedPodChanged':
      return event.aspects.has('labels')
    case 'assignedPodGone':
      return (
        requiredAntiAffinity.some(term => mayMean(term, event.pod)) ||
        requiredAffinity.some(term => mayMean(term, event.pod)) ||
        affinityTermsOf(event.pod).requiredAntiAffinity.some(term => mayMean(term, pod))
      )
    case 'podChanged':
      return event.aspects.has('labels')
    case 'namespaceLabelsChanged':
    case 'nominationOver':
      return true
    case 'nodeAdded':
      return keysOf(requiredAffinity).every(key => event.node.metadata.labels?.[key] !== undefined)
    case 'nodeChanged':
      return event.aspects.has('labels')
    default:
      return false
  }
}

const mayMean = (term: AffinityTerm, pod: Pod) => term.matches(pod, anyNamespace) || term.selectsNamespaces
