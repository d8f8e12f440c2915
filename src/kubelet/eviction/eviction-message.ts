// The words of an eviction. Upstream: pkg/kubelet/eviction/helpers.go evictionMessage, eviction_manager.go.
import { parseAmounts } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import type { ContainerUsage, PodUsage } from './pod-usage.ts'
import { resourceOf, type StarvedResource } from './rank-pods.ts'
import { amountOf, type Observation, type Threshold } from './threshold.ts'

/** Bytes as upstream prints them: '1Mi', '1536Ki'. */
export const binary = (bytes: number): string => Quantity.fromValue(Math.floor(bytes), 'BinarySI').toString()

export function lowOnResource(threshold: Threshold, observation: Observation, usage: PodUsage): string {
  const resource = resourceOf(threshold.signal)
  const show = resource === 'inodes' || resource === 'pids' ? String : binary
  const quantity = show(Math.floor(amountOf(threshold, observation)))
  return [
    `The node was low on resource: ${resource}. `,
    `Threshold quantity: ${quantity}, available: ${show(Math.floor(observation.available))}. `,
    ...usage.containers.map(container => containerText(usage, container, resource)),
  ].join('')
}

/** Only containers that use more than they asked for are named. */
function containerText({ pod }: PodUsage, usage: ContainerUsage, resource: StarvedResource): string {
  if (resource === 'inodes' || resource === 'pids') return ''
  const spec = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(
    ({ name }) => name === usage.name,
  )
  const used = resource === 'memory' ? usage.memory : usage.rootfs + usage.logs
  const request = parseAmounts(spec?.resources?.requests).get(resource) ?? Quantity.zero
  if (used <= request.value()) return ''
  return `Container ${usage.name} was using ${binary(used)}, request is ${request.toString()}, has larger consumption of ${resource}. `
}
