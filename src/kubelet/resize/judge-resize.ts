// Whether a pod may have what it asks for now. Pure. Upstream: allocation_manager.go handlePodResourcesResize,
// lifecycle predicate handlers.
import { podRequests } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { insufficient } from '../admission/can-admit.ts'

export type Verdict =
  | { verdict: 'granted' }
  /** Later, when others have gone. */
  | { verdict: 'Deferred'; message: string }
  /** Never on this node. */
  | { verdict: 'Infeasible'; message: string }

const STATIC_POD_SOURCE = 'kubernetes.io/config.source'

/** `others`: what the node has taken, each with what it was granted. */
export function judgeResize(pod: Pod, node: Node, others: readonly Pod[]): Verdict {
  const source = pod.metadata.annotations?.[STATIC_POD_SOURCE]
  if (source !== undefined && source !== 'api')
    return { verdict: 'Infeasible', message: 'In-place resize of static-pods is not supported' }
  const beyond = beyondCapacity(pod, node)
  if (beyond) return { verdict: 'Infeasible', message: `Node didn't have enough capacity: ${beyond}` }
  const shortage = insufficient(pod, node, others)
  return shortage ? { verdict: 'Deferred', message: shortage.message } : { verdict: 'granted' }
}

function beyondCapacity(pod: Pod, { status }: Node): string | undefined {
  const requests = podRequests(pod)
  const number = (amount: Quantity, name: string) => (name === 'cpu' ? amount.milliValue() : amount.value())
  for (const name of ['memory', 'cpu']) {
    const requested = requests.get(name)
    const capacity = Quantity.parse(status.allocatable?.[name] ?? '0')
    if (requested && requested.compare(capacity) > 0)
      return `${name}, requested: ${number(requested, name)}, capacity: ${number(capacity, name)}`
  }
  return undefined
}

/** The order in which waiting pods are looked at again: smaller ones, important ones, guaranteed ones, older ones. */
export interface Waiting {
  /** Its requests do not grow. */
  shrinks: boolean
  priority: number
  guaranteed: boolean
  since: number
}

export const compareWaiting = (a: Waiting, b: Waiting): number =>
  Number(b.shrinks) - Number(a.shrinks) ||
  b.priority - a.priority ||
  Number(b.guaranteed) - Number(a.guaranteed) ||
  a.since - b.since
