// What pods ask for of a resource, which their use is measured by. Pure.
// Upstream: calculateRequests of pkg/controller/podautoscaler/replica_calculator.go.
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { milli } from './pod-metrics.ts'

/** In thousandths by the pod's name. Throws when a container does not tell. */
export function requestsOf(
  pods: readonly Pod[],
  resource: string,
  container?: string,
): ReadonlyMap<string, number> {
  return new Map(
    pods.map(pod => [
      pod.metadata.name,
      container === undefined ? ofPod(pod, resource) : ofContainer(pod, resource, container),
    ]),
  )
}

function ofPod(pod: Pod, resource: string): number {
  const whole = pod.spec.resources?.requests
  if (whole && Object.keys(whole).length > 0) {
    if (whole[resource] === undefined)
      throw new Error(`missing pod-level request for ${resource} in Pod ${pod.metadata.name}`)
    return milli(whole[resource])
  }
  return lasting(pod).reduce((sum, container) => sum + request(container, pod, resource), 0)
}

function ofContainer(pod: Pod, resource: string, name: string): number {
  const found = lasting(pod).find(container => container.name === name)
  if (!found) throw new Error(`container ${name} not found in Pod ${pod.metadata.name}`)
  return request(found, pod, resource)
}

function request({ name, resources }: Container, pod: Pod, resource: string): number {
  const quantity = resources?.requests?.[resource]
  if (quantity === undefined)
    throw new Error(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`)
  return milli(quantity)
}

/** Those that run as long as the pod does. */
const lasting = ({ spec }: Pod): readonly Container[] => [
  ...spec.containers,
  ...(spec.initContainers ?? []).filter(isSidecar),
]
