// What a scheduling plugin is. Plugins are pure: they judge one Pod against one node of a snapshot.
// Names, order and weights follow upstream's default profile (pkg/scheduler/apis/config/v1/default_plugins.go).
import type { Pod } from '../api/types/core-v1.ts'
import type { NodeInfo } from './node-info.ts'

/** Why a node does not fit. Several reasons count separately in the message. */
export interface Rejection {
  reasons: string[]
  /** False when evicting Pods could not help (upstream: UnschedulableAndUnresolvable). */
  resolvable: boolean
}

/** Why no node at all can fit, told by a preFilter: it replaces the histogram of reasons. */
export interface EarlyRejection {
  message: string
}

export interface Plugin {
  readonly name: string
  /** Computes once per Pod what filter and score need; kept under the plugin's name for the cycle. */
  prepare?(
    pod: Pod,
    nodes: readonly NodeInfo[],
  ): { state?: unknown; rejection?: EarlyRejection; onlyNodes?: ReadonlySet<string> }
  filter?(pod: Pod, node: NodeInfo, state: unknown): Rejection | undefined
  /** Any number; turned into 0…100 by `normalize` (default: already 0…100). */
  score?(pod: Pod, node: NodeInfo, state: unknown): number
  /** Changes the scores of all feasible nodes into 0…100, in place. */
  normalize?(scores: number[]): void
  /** How much the score counts. */
  readonly weight?: number
  /**
   * Which changes of the cluster may make a Pod fit that this plugin turned away.
   * Upstream: EventsToRegister.
   */
  readonly wakesOn?: readonly ClusterChange[]
}

export type ClusterChange = 'nodeAdded' | 'nodeChanged' | 'podGone' | 'podAdded' | 'podChanged'

export const MAX_SCORE = 100

export const unresolvable = (...reasons: string[]): Rejection => ({ reasons, resolvable: false })
export const unschedulable = (...reasons: string[]): Rejection => ({ reasons, resolvable: true })

/** Scales so that the largest becomes 100; reversed for scores where less is better. Upstream: DefaultNormalizeScore. */
export function normalizeToMax(scores: number[], reverse = false): void {
  const largest = Math.max(0, ...scores)
  for (const [index, score] of scores.entries()) {
    const scaled = largest === 0 ? 0 : Math.floor((score * MAX_SCORE) / largest)
    scores[index] = reverse ? MAX_SCORE - scaled : scaled
  }
}
