// The life of a pod's worker as one value.
import type { Stopping } from './decide-stopping.ts'

/** Words with which a pod fails by the kubelet's own decision. */
export interface FailWords {
  reason: string
  message: string
  /**
   * The pod did nothing wrong: condition DisruptionTarget, reason TerminationByKubelet. The condition's message is
   * this text, or the pod's.
   */
  disruption?: true | string
}

/**
 * What comes after a stop: the pod runs anew (its sandbox was lost), is over, or waits for the node to come up again.
 */
export type Stopped = 'running' | 'over' | 'suspended'

export type WorkerPhase =
  /** The pod is to run. */
  | { phase: 'running' }
  | { phase: 'stopping'; stopping: Stopping; after: Stopped; failWith?: FailWords }
  /** Nothing runs any more and nothing will. Its records stay until the pod is gone from the API. */
  | { phase: 'over' }
  /** Nothing of it runs; what it has come to is open: the node is going down. */
  | { phase: 'suspended' }
  /** Nothing is left of it. */
  | { phase: 'gone' }
