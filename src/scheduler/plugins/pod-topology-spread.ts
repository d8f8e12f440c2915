// Pods of a kind spread over zones, nodes or other domains. Upstream: podtopologyspread/filtering.go, scoring.go.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ClusterEvent } from '../cluster-event.ts'
import { MAX_SCORE, type Plugin, unresolvable, unschedulable } from '../framework.ts'
import type { ClusterView } from '../state/cluster-view.ts'
import type { NodeInfo } from '../state/node-info.ts'
import {
  constraintsOf,
  countsNode,
  defaultConstraints,
  HOSTNAME,
  hasAllKeys,
  type SpreadConstraint,
} from '../state/spread-constraints.ts'

const MISMATCH = "node(s) didn't match pod topology spread constraints"

/** Of one constraint: domain → Pods in it. */
type Domains = Map<string, number>

interface FilterState {
  constraints: readonly SpreadConstraint[]
  domains: readonly Domains[]
}

interface ScoreState {
  constraints: readonly SpreadConstraint[]
  domains: readonly Domains[]
  /** Domains with many values count more, so that each constraint has its say. */
  weights: readonly number[]
  /** Nodes without one of the keys: last of all. */
  ignored: ReadonlySet<NodeInfo>
}

export const podTopologySpread: Plugin<FilterState, ScoreState> = {
  name: 'PodTopologySpread',
  weight: 2,
  prepare(pod, cluster) {
    const constraints = constraintsOf(pod, 'DoNotSchedule')
    if (constraints.length === 0) return { skip: true }
    return { state: { constraints, domains: countDomains(pod, constraints, cluster) } }
  },
  filter(pod, { labels }, { constraints, domains }) {
    for (const [index, constraint] of constraints.entries()) {
      const value = labels[constraint.topologyKey]
      if (value === undefined) return unresolvable(`${MISMATCH} (missing required label)`)
      const self = constraint.matches(pod.metadata.labels) ? 1 : 0
      const there = domains[index]!.get(value) ?? 0
      if (there + self - fewest(domains[index]!, constraint) > constraint.maxSkew)
        return unschedulable(MISMATCH)
    }
    return undefined
  },
  copy: ({ constraints, domains }) => ({ constraints, domains: domains.map(counts => new Map(counts)) }),
  change({ constraints, domains }, pod, other, node, by) {
    // One on its way out was never counted.
    const counts = other.metadata.namespace === pod.metadata.namespace && !other.metadata.deletionTimestamp
    if (!counts || !hasAllKeys(constraints, node)) return
    for (const [index, constraint] of constraints.entries()) {
      if (!constraint.matches(other.metadata.labels) || !countsNode(constraint, pod, node)) continue
      const value = node.labels[constraint.topologyKey]!
      domains[index]!.set(value, (domains[index]!.get(value) ?? 0) + by)
    }
  },
  prepareScore(pod, feasible, cluster) {
    const own = pod.spec.topologySpreadConstraints?.length
    const constraints = own ? constraintsOf(pod, 'ScheduleAnyway') : defaultConstraints(pod, cluster.objects)
    return constraints.length > 0 ? { state: scoreState(pod, constraints, feasible, cluster) } : 'skip'
  },
  score(_pod, node, { constraints, domains, weights, ignored }) {
    if (ignored.has(node)) return 0
    let score = 0
    for (let index = 0; index < constraints.length; index++) {
      const constraint = constraints[index]!
      const value = node.labels[constraint.topologyKey]
      if (value === undefined) continue
      const isNode = constraint.topologyKey === HOSTNAME
      const there = isNode
        ? node.countPods(constraint.countedKey, constraint.isCounted)
        : (domains[index]!.get(value) ?? 0)
      score += there * weights[index]! + (constraint.maxSkew - 1)
    }
    return Math.round(score)
  },
  normalize(scores, { ignored }, feasible) {
    const counted = scores.filter((_, index) => !ignored.has(feasible[index]!))
    const [least, most] = [Math.min(...counted), Math.max(...counted)]
    for (const [index, score] of scores.entries()) {
      if (ignored.has(feasible[index]!)) scores[index] = 0
      else scores[index] = most === 0 ? MAX_SCORE : Math.floor((MAX_SCORE * (most + least - score)) / most)
    }
  },
  mayHelp: (event, pod) => mayHelp(event, pod),
}

/** With fewer domains than asked for, those that are missing count as empty ones. */
function fewest(domains: Domains, { minDomains }: SpreadConstraint): number {
  if (domains.size < minDomains) return 0
  let least = Number.POSITIVE_INFINITY
  for (const count of domains.values()) if (count < least) least = count
  return least
}

/** Only nodes with all keys are part of the picture. */
function countDomains(pod: Pod, constraints: readonly SpreadConstraint[], { nodes }: ClusterView): Domains[] {
  const domains = constraints.map((): Domains => new Map())
  for (const node of nodes) {
    if (!hasAllKeys(constraints, node)) continue
    for (const [index, constraint] of constraints.entries()) {
      if (!countsNode(constraint, pod, node)) continue
      const value = node.labels[constraint.topologyKey]!
      const there = node.countPods(constraint.countedKey, constraint.isCounted)
      domains[index]!.set(value, (domains[index]!.get(value) ?? 0) + there)
    }
  }
  return domains
}

/** The cluster's own constraints do not ask for every key: a cluster may have no zones. */
function scoreState(
  pod: Pod,
  constraints: readonly SpreadConstraint[],
  feasible: readonly NodeInfo[],
  { nodes }: ClusterView,
): ScoreState {
  const needsAllKeys = !!pod.spec.topologySpreadConstraints?.length
  const ignored = new Set(needsAllKeys ? feasible.filter(node => !hasAllKeys(constraints, node)) : [])
  const candidates = feasible.filter(node => !ignored.has(node))
  const domains = constraints.map(({ topologyKey }): Domains => {
    if (topologyKey === HOSTNAME) return new Map()
    const values = candidates.map(({ labels }) => labels[topologyKey]).filter(value => value !== undefined)
    return new Map(values.map(value => [value, 0]))
  })
  for (const [index, constraint] of constraints.entries()) {
    const counts = domains[index]!
    if (counts.size === 0) continue
    for (const node of nodes) {
      const value = node.labels[constraint.topologyKey]
      if (value === undefined || !counts.has(value)) continue
      if (needsAllKeys && !hasAllKeys(constraints, node)) continue
      if (!countsNode(constraint, pod, node)) continue
      const there = node.countPods(constraint.countedKey, constraint.isCounted)
      counts.set(value, counts.get(value)! + there)
    }
  }
  const sizes = constraints.map(({ topologyKey }, index) =>
    topologyKey === HOSTNAME ? candidates.length : domains[index]!.size,
  )
  return { constraints, domains, ignored, weights: sizes.map(size => Math.log(size + 2)) }
}

function mayHelp(event: ClusterEvent, pod: Pod): boolean {
  const constraints = constraintsOf(pod, 'DoNotSchedule')
  const matchesOne = ({ metadata }: Pod) =>
    metadata.namespace === pod.metadata.namespace &&
    constraints.some(({ matches }) => matches(metadata.labels))
  const isIn = (labels: Readonly<Record<string, string>> | undefined) =>
    constraints.every(({ topologyKey }) => labels?.[topologyKey] !== undefined)
  switch (event.what) {
    case 'podAssigned':
    case 'assignedPodGone':
      return matchesOne(event.pod)
    case 'assignedPodChanged':
      return event.aspects.has('labels') && matchesOne(event.old) !== matchesOne(event.pod)
    case 'podChanged':
      return event.aspects.has('labels') || event.aspects.has('tolerations')
    case 'nodeAdded':
    case 'nodeGone':
      return isIn(event.node.metadata.labels)
    case 'nodeChanged':
      return (
        (event.aspects.has('labels') || event.aspects.has('taints')) &&
        (isIn(event.node.metadata.labels) || isIn(event.old.metadata.labels))
      )
    case 'nominationOver':
      return true
    default:
      return false
  }
}
