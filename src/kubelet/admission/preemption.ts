// Which pods make room for a critical one that the node has been told to run. Pure.
// Upstream: pkg/kubelet/preemption/preemption.go.
import { qosClass } from '../../api/pod/qos.ts'
import { podRequests } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { isCritical } from '../eviction/rank-pods.ts'

/** What is missing, by resource: thousandths for cpu, pods for 'pods'. */
type Missing = ReadonlyMap<string, number>

const isCriticalPod = (pod: Pod) => isCritical({ pod, priority: pod.spec.priority ?? 0 })

/** Undefined: the pod is not critical, lacks nothing, or no pods could make enough room. */
export function preempted(pod: Pod, node: Node, others: readonly Pod[]): Pod[] | undefined {
  if (!isCriticalPod(pod)) return undefined
  const missing = shortages(pod, node, others)
  const victims = others.filter(other => !isCriticalPod(other) && priorityOf(other) < priorityOf(pod))
  if (missing.size === 0 || without(missing, victims).size > 0) return undefined
  const of = (wanted: string) => victims.filter(({ spec }) => qosClass(spec) === wanted)
  const [bestEffort, burstable, guaranteed] = [of('BestEffort'), of('Burstable'), of('Guaranteed')]
  // The better a pod's class, the more of the lesser ones go before it.
  const third = nearest(guaranteed, without(missing, [...bestEffort, ...burstable]))
  const second = nearest(burstable, without(missing, [...bestEffort, ...third]))
  const first = nearest(bestEffort, without(missing, [...second, ...third]))
  return [...first, ...second, ...third]
}

const priorityOf = ({ spec }: Pod) => spec.priority ?? 0

function shortages(pod: Pod, node: Node, others: readonly Pod[]): Missing {
  const allocatable = node.status.allocatable ?? {}
  const capacity = (name: string) => amount(name, Quantity.parse(allocatable[name] ?? '0'))
  const missing = new Map<string, number>()
  for (const name of podRequests(pod).keys()) {
    const used = others.reduce((sum, other) => sum + requestOf(other, name), 0)
    const lacking = used + requestOf(pod, name) - capacity(name)
    if (requestOf(pod, name) > 0 && lacking > 0) missing.set(name, lacking)
  }
  const tooMany = others.length + 1 - Quantity.parse(allocatable.pods ?? '110').value()
  if (tooMany > 0) missing.set('pods', tooMany)
  return missing
}

function amount(name: string, quantity: Quantity): number {
  return name === 'cpu' ? quantity.milliValue() : quantity.value()
}

function requestOf(pod: Pod, name: string): number {
  if (name === 'pods') return 1
  const request = podRequests(pod).get(name)
  return request ? amount(name, request) : 0
}

/** What is still missing when these pods are gone. */
function without(missing: Missing, pods: readonly Pod[]): Missing {
  const left = [...missing].map(
    ([name, lacking]) => [name, pods.reduce((sum, pod) => sum - requestOf(pod, name), lacking)] as const,
  )
  return new Map(left.filter(([, lacking]) => lacking > 0))
}

/** As few as needed: one after the other the pod that brings the requirements nearest to nothing. */
function nearest(pods: readonly Pod[], missing: Missing): Pod[] {
  const chosen: Pod[] = []
  let [left, rest] = [missing, pods]
  while (left.size > 0 && rest.length > 0) {
    const current = left
    const best = rest.toSorted(
      (a, b) => distance(a, current) - distance(b, current) || smallerFirst(a, b),
    )[0]!
    chosen.push(best)
    rest = rest.filter(pod => pod !== best)
    left = without(left, [best])
  }
  return chosen
}

/** 0: the pod frees all that is missing. */
function distance(pod: Pod, missing: Missing): number {
  return [...missing].reduce(
    (sum, [name, lacking]) => sum + (Math.max(0, lacking - requestOf(pod, name)) / lacking) ** 2,
    0,
  )
}

const smallerFirst = (a: Pod, b: Pod) =>
  requestOf(a, 'memory') - requestOf(b, 'memory') || requestOf(a, 'cpu') - requestOf(b, 'cpu')
