// What a scheduling plugin is. Plugins are pure: they judge one Pod against nodes as the scheduler sees them.
// Names, order and weights follow upstream's default profile (pkg/scheduler/apis/config/v1/default_plugins.go).
import type { Pod } from '../api/types/core-v1.ts'
import type { ClusterEvent } from './cluster-event.ts'
import type { ClusterObjects, ClusterView } from './state/cluster-view.ts'
import type { NodeInfo } from './state/node-info.ts'

/** Why a node does not fit. Several reasons count separately in the message. */
export interface Rejection {
  reasons: readonly string[]
  /** False when evicting Pods could not help (upstream: UnschedulableAndUnresolvable). */
  resolvable: boolean
}

export interface Prepared<F> {
  state?: F
  /** There is nothing to filter for this Pod. */
  skip?: boolean
  /** No node at all can fit: the text replaces the histogram of reasons. */
  rejection?: Rejection
  /** The Pod names its nodes: no others are looked at. */
  onlyNodes?: ReadonlySet<string>
}

export interface Plugin<F = unknown, S = unknown> {
  readonly name: string
  /** How much the score counts; 1 when left out. */
  readonly weight?: number
  /** Why the Pod is not to be tried yet; it is asked again when something happens that may help. Upstream: PreEnqueue. */
  hold?(pod: Pod, objects: ClusterObjects): string | undefined
  /** Computes once per Pod what the filter needs. Upstream: PreFilter. */
  prepare?(pod: Pod, cluster: ClusterView): Prepared<F>
  filter?(pod: Pod, node: NodeInfo, state: F): Rejection | undefined
  /** Both or neither: the state as it would be with `other` put on or taken from the node. Upstream: PreFilterExtensions. */
  copy?(state: F): F
  change?(state: F, pod: Pod, other: Pod, node: NodeInfo, by: 1 | -1): void
  /** Once per Pod, when several nodes fit. 'skip': the plugin has no preference. Upstream: PreScore. */
  prepareScore?(pod: Pod, feasible: readonly NodeInfo[], cluster: ClusterView): { state: S } | 'skip'
  /** Any number; turned into 0…100 by `normalize` (default: already 0…100). */
  score?(pod: Pod, node: NodeInfo, state: S): number
  /** Changes the scores of all feasible nodes into 0…100, in place. */
  normalize?(scores: number[], state: S, feasible: readonly NodeInfo[]): void
  /** Whether a Pod that this plugin turned away may fit after the event. Upstream: QueueingHintFn. */
  mayHelp?(event: ClusterEvent, pod: Pod): boolean
}

export const MAX_SCORE = 100

export const unresolvable = (...reasons: string[]): Rejection => ({ reasons, resolvable: false })
export const unschedulable = (...reasons: string[]): Rejection => ({ reasons, resolvable: true })

/** Scales so that the largest becomes 100; reversed for scores where less is better. Upstream: DefaultNormalizeScore. */
export function normalizeToMax(scores: number[], reverse = false): void {
  let largest = 0
  for (const score of scores) if (score > largest) largest = score
  for (const [index, score] of scores.entries()) {
    const scaled = largest === 0 ? 0 : Math.floor((score * MAX_SCORE) / largest)
    scores[index] = reverse ? MAX_SCORE - scaled : scaled
  }
}
