// Whether the node takes a pod that is bound to it. Pure. Upstream: lifecycle/predicate.go.
import { matchesNodeSelector } from '../../api/pod/node-affinity.ts'
import { podRequests } from '../../api/pod/resources.ts'
import { toleratesTaint } from '../../api/pod/tolerations.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'

/** `others` are the pods that the node has taken and that are not over. Undefined: the pod is taken. */
export function rejection(pod: Pod, node: Node, others: readonly Pod[]): FailWords | undefined {
  const found =
    wrongSystem(pod) ??
    tooMany(node, others) ??
    insufficient(pod, node, others) ??
    wrongNode(pod, node) ??
    takenPort(pod, others) ??
    taint(pod, node)
  return found && { reason: found.reason, message: `Pod was rejected: ${found.message}` }
}

const OS_LABEL = 'kubernetes.io/os'

/** Nothing that is done on the node could help here. */
function wrongSystem({ metadata, spec }: Pod): FailWords | undefined {
  const label = metadata.labels?.[OS_LABEL]
  if (label !== undefined && label !== 'linux') {
    const message = `Failed to admit pod as the \`${OS_LABEL}\` label doesn't match node label`
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message }
  }
  if (!spec.os || spec.os.name === 'linux') return undefined
  const message = "Failed to admit pod as the OS field doesn't match node OS"
  return { reason: 'PodOSNotSupported', message }
}

function tooMany(node: Node, others: readonly Pod[]): FailWords | undefined {
  const capacity = Quantity.parse(node.status.allocatable?.pods ?? '110').value()
  if (others.length < capacity) return undefined
  return shortage('pods', 1, others.length, capacity)
}

/** The first resource that the node has too little of for the pod. */
export function insufficient(pod: Pod, node: Node, others: readonly Pod[]): FailWords | undefined {
  const allocatable = node.status.allocatable ?? {}
  const used = others.map(other => podRequests(other))
  for (const [name, requested] of podRequests(pod)) {
    // Of extended resources that the node does not tell about, the kubelet knows nothing: the scheduler has judged.
    const isUnknown = name.includes('/') && !(name in allocatable)
    if (requested.isZero || isUnknown) continue
    const capacity = Quantity.parse(allocatable[name] ?? '0')
    const taken = used.reduce((sum, amounts) => sum.add(amounts.get(name) ?? Quantity.zero), Quantity.zero)
    if (taken.add(requested).compare(capacity) <= 0) continue
    const number = (amount: Quantity) => (name === 'cpu' ? amount.milliValue() : amount.value())
    return shortage(name, number(requested), number(taken), number(capacity))
  }
  return undefined
}

const shortage = (name: string, requested: number, used: number, capacity: number): FailWords => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

function wrongNode(pod: Pod, node: Node): FailWords | undefined {
  if (matchesNodeSelector(pod, node)) return undefined
  return {
    reason: 'NodeAffinity',
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  }
}

function takenPort(pod: Pod, others: readonly Pod[]): FailWords | undefined {
  const taken = others.flatMap(hostPorts)
  const clash = hostPorts(pod).some(wanted => taken.some(other => overlaps(wanted, other)))
  if (!clash) return undefined
  return {
    reason: 'NodePorts',
    message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  }
}

interface HostPort {
  protocol: string
  hostIP: string
  hostPort: number
}

/** Of apps and of sidecars. */
const hostPorts = ({ spec }: Pod): HostPort[] =>
  [
    ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
    ...spec.containers,
  ].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => hostPort)
      .map(({ protocol = 'TCP', hostIP = '0.0.0.0', hostPort = 0 }) => ({
        protocol,
        hostIP: hostIP || '0.0.0.0',
        hostPort,
      })),
  )

const overlaps = (a: HostPort, b: HostPort) =>
  a.protocol === b.protocol &&
  a.hostPort === b.hostPort &&
  (a.hostIP === b.hostIP || a.hostIP === '0.0.0.0' || b.hostIP === '0.0.0.0')

/** Only NoExecute taints keep a pod from a node it is bound to. */
function taint(pod: Pod, node: Node): FailWords | undefined {
  const tolerations = pod.spec.tolerations ?? []
  const refused = (node.spec.taints ?? []).some(
    one => one.effect === 'NoExecute' && !toleratesTaint(tolerations, one),
  )
  return refused
    ? {
        reason: 'TaintToleration',
        message: 'Predicate TaintToleration failed: node(s) had untolerated taint(s)',
      }
    : undefined
}
