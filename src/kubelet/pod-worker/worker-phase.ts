// The life of a pod's worker as one value.
import type { Stopping } from './decide-stopping.ts'

/** Words with which a pod fails by the kubelet's own decision. */
export interface FailWords {
  reason: string
  message: string
  /** The pod did nothing wrong: condition DisruptionTarget, reason TerminationByKubelet. */
  disruption?: boolean
}

export type WorkerPhase =
  /** The pod is to run. */
  | { phase: 'running' }
  /** Everything is being stopped; then the pod runs anew (its sandbox was lost) or is over. */
  | { phase: 'stopping'; stopping: Stopping; after: 'running' | 'over'; failWith?: FailWords }
  /** Nothing runs any more and nothing will. Its records stay until the pod is gone from the API. */
  | { phase: 'over' }
  /** Nothing is left of it. */
  | { phase: 'gone' }
