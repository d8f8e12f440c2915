// Refuses resizes that the pod's node can never grant. Upstream: plugin/pkg/admission/podresize (PodResizeValidator).
import { podRequests } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import { StatusError } from '../../api/status-error.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

export function podResize(lookup: Pick<ObjectLookup, 'node'>): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    validate(attributes) {
      const { operation, subresource, object, oldObject } = attributes
      if (operation !== 'UPDATE' || subresource !== 'resize' || !isResource(attributes, 'pods')) return
      const pod = object as unknown as Pod
      // The generation grows only when something was asked for.
      if (!pod.spec.nodeName || oldObject?.metadata.generation === pod.metadata.generation) return
      const node = lookup.node(pod.spec.nodeName) as unknown as Node | undefined
      if (!node) throw refuse(attributes, `node "${pod.spec.nodeName}" not found`)
      checkPlatform(attributes, node)
      checkCapacity(attributes, pod, node)
    },
  }
}

function checkPlatform(attributes: AdmissionAttributes, { metadata }: Node): void {
  const os = metadata.labels?.['kubernetes.io/os'] ?? 'linux'
  if (os === 'linux') return
  const why = `pod resize is only supported on linux nodes, node "${metadata.name}" is "${os}"`
  throw withCause(refuse(attributes, why), 'UnsupportedPlatform')
}

function checkCapacity(attributes: AdmissionAttributes, pod: Pod, { status }: Node): void {
  const requests = podRequests(pod)
  const problems = ['cpu', 'memory'].flatMap(name => {
    const [requested, allocatable] = [requests.get(name), Quantity.parse(status.allocatable?.[name] ?? '0')]
    if (!requested || requested.compare(allocatable) <= 0) return []
    const number = (amount: Quantity) => (name === 'cpu' ? amount.milliValue() : amount.value())
    return [`${name}, requested: ${number(requested)}, allocatable: ${number(allocatable)}`]
  })
  if (problems.length === 0) return
  const why = `node didn't have enough allocatable resources: ${problems.join('; ')}`
  throw withCause(refuse(attributes, why), 'NodeCapacity')
}

function withCause({ status }: StatusError, reason: string): StatusError {
  const { kind: _, apiVersion: __, ...rest } = status
  return new StatusError({ ...rest, details: { ...status.details, causes: [{ reason }] } })
}
