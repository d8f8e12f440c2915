// Which Pods a Pod wants beside it, or not; what Pods that are there already require counts too.
// Upstream: pkg/scheduler/framework/plugins/interpodaffinity.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ClusterEvent } from '../cluster-event.ts'
import { MAX_SCORE, type Plugin, type Rejection, unresolvable, unschedulable } from '../framework.ts'
import { type AffinityTerm, affinityTermsOf } from '../state/affinity-terms.ts'
import type { ClusterView } from '../state/cluster-view.ts'
import type { NodeInfo } from '../state/node-info.ts'
import { oneText } from '../state/one-text.ts'
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
    const othersKey = oneText(`others ${likenessOf(pod, cluster)}`)
    for (const node of cluster.nodesWithAntiAffinity) {
      const found = node.remember(othersKey, () =>
        keysOfOthers(node.podsWithAntiAffinity.values(), pod, cluster),
      )
      for (const key of found) addAt(counts.othersAntiAffinity, key, node, 1)
    }
    const hasTerms = requiredAffinity.length > 0 || requiredAntiAffinity.length > 0
    if (!hasTerms && counts.othersAntiAffinity.isEmpty) return { skip: true }
    if (hasTerms) countAll(counts, pod)
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
    for (const key of keysOfOthers([other], pod, counts.cluster))
      addAt(counts.othersAntiAffinity, key, node, by)
    addOwn(counts, pod, node, ownAmong([other], pod, counts.cluster), by)
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

/** Most answers about a node are "none": they are kept for many kinds of Pods and take no room of their own. */
const NO_KEYS: readonly string[] = []
const NO_SCORES: ReadonlyMap<string, number> = new Map()

/** Topology keys of the anti-affinity terms that mean the Pod, one per term. */
function keysOfOthers(others: Iterable<Pod>, pod: Pod, { objects }: ClusterView): readonly string[] {
  let keys = NO_KEYS
  for (const other of others)
    for (const term of affinityTermsOf(other).requiredAntiAffinity)
      if (term.matches(pod, objects.namespaceLabels)) keys = [...keys, term.topologyKey]
  return keys
}

/** Of some Pods: how many match all affinity terms, and how many each anti-affinity term. */
interface Own {
  affinity: number
  antiAffinity: readonly number[]
}

/** Undefined when none does. */
function ownAmong(others: Iterable<Pod>, pod: Pod, { objects }: ClusterView): Own | undefined {
  const { requiredAffinity, requiredAntiAffinity } = affinityTermsOf(pod)
  let affinity = 0
  let antiAffinity: number[] | undefined
  for (const other of others) {
    const isMeant = (term: AffinityTerm) => term.matches(other, objects.namespaceLabels)
    if (requiredAffinity.length > 0 && requiredAffinity.every(isMeant)) affinity++
    for (const [index, term] of requiredAntiAffinity.entries()) {
      if (!isMeant(term)) continue
      antiAffinity ??= requiredAntiAffinity.map(() => 0)
      antiAffinity[index]!++
    }
  }
  return affinity > 0 || antiAffinity ? { affinity, antiAffinity: antiAffinity ?? [] } : undefined
}

function addOwn(counts: Counts, pod: Pod, node: NodeInfo, found: Own | undefined, by: number): void {
  if (!found) return
  const { requiredAffinity, requiredAntiAffinity } = affinityTermsOf(pod)
  for (const { topologyKey } of requiredAffinity)
    addAt(counts.affinity, topologyKey, node, by * found.affinity)
  for (const [index, { topologyKey }] of requiredAntiAffinity.entries())
    addAt(counts.antiAffinity, topologyKey, node, by * (found.antiAffinity[index] ?? 0))
}

function countAll(counts: Counts, pod: Pod): void {
  const { cluster } = counts
  const { likeness } = affinityTermsOf(pod)
  const key = oneText(`own ${likeness}`)
  for (const node of cluster.nodes) {
    if (node.pods.size === 0) continue
    const find = () => ownAmong(node.pods.values(), pod, cluster)
    addOwn(counts, pod, node, likeness === undefined ? find() : node.remember(key, find), 1)
  }
}

function addAt(counts: PairCounts, key: string, { labels }: NodeInfo, by: number): void {
  const value = labels[key]
  if (value !== undefined) counts.add(key, value, by)
}

/** The same for Pods that the terms of others cannot tell apart. */
function likenessOf({ metadata: { namespace = '', labels } }: Pod, { objects }: ClusterView): string {
  return JSON.stringify([namespace, objects.namespaceLabels(namespace), labels])
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
  for (const key of counts.othersAntiAffinity.keys) {
    const value = labels[key]
    if (value !== undefined && counts.othersAntiAffinity.get(key, value) > 0)
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
  const { preferredAffinity, preferredAntiAffinity, likeness } = affinityTermsOf(pod)
  const hasWishes = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0
  const key = oneText(`scores ${likenessOf(pod, cluster)} ${likeness}`)
  const scores: TopologyScores = new Map()
  for (const node of hasWishes ? cluster.nodes : cluster.nodesWithPodAffinity) {
    const others = hasWishes ? node.pods : node.podsWithAffinity
    const find = () => scoresAmong(others.values(), pod, cluster)
    const found = hasWishes && likeness === undefined ? find() : node.remember(key, find)
    for (const [topologyKey, score] of found) {
      const value = node.labels[topologyKey]
      if (value === undefined) continue
      const values = scores.get(topologyKey) ?? new Map<string, number>()
      scores.set(topologyKey, values.set(value, (values.get(value) ?? 0) + score))
    }
  }
  return scores
}

/** Topology key → what these Pods add to it, by the wishes of the Pod and by theirs. */
function scoresAmong(others: Iterable<Pod>, pod: Pod, { objects }: ClusterView): ReadonlyMap<string, number> {
  const { preferredAffinity, preferredAntiAffinity } = affinityTermsOf(pod)
  const scores = new Map<string, number>()
  const add = (terms: readonly AffinityTerm[], meant: Pod, sign: number, weight?: number) => {
    for (const term of terms)
      if (term.matches(meant, objects.namespaceLabels)) {
        const { topologyKey } = term
        scores.set(topologyKey, (scores.get(topologyKey) ?? 0) + sign * (weight ?? term.weight))
      }
  }
  for (const other of others) {
    const theirs = affinityTermsOf(other)
    add(preferredAffinity, other, 1)
    add(preferredAntiAffinity, other, -1)
    add(theirs.requiredAffinity, pod, 1, HARD_WEIGHT)
    add(theirs.preferredAffinity, pod, 1)
    add(theirs.preferredAntiAffinity, pod, -1)
  }
  return scores.size > 0 ? scores : NO_SCORES
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
