// The words of an eviction, for people, and its facts as annotations of the event, for programs.
// Upstream: pkg/kubelet/eviction/helpers.go evictionMessage.
import { parseAmounts } from '../../api/pod/resources.ts'
import { Quantity, type QuantityFormat } from '../../api/quantity.ts'
import type { ContainerUsage, PodUsage } from './pod-usage.ts'
import { memoryOf } from './pod-usage.ts'
import { resourceOf, type StarvedResource } from './rank-pods.ts'
import { type Observation, quantityText, type Threshold } from './threshold.ts'

export interface EvictionWords {
  message: string
  /** Of the event. */
  annotations?: Record<string, string>
}

const show = (amount: number, format: QuantityFormat = 'BinarySI'): string =>
  Quantity.fromValue(Math.floor(amount), format).toString()

export function lowOnResource(
  threshold: Threshold,
  observation: Observation,
  usage: PodUsage,
): Required<EvictionWords> {
  const resource = resourceOf(threshold.signal)
  const format = resource === 'inodes' || resource === 'pids' ? 'DecimalSI' : 'BinarySI'
  const whole = resource === 'memory' ? wholePod(usage) : undefined
  const greedy = usage.containers.flatMap(container => greedyContainer(usage, container, resource))
  return {
    message: [
      `The node was low on resource: ${resource}. `,
      `Threshold quantity: ${quantityText(threshold, observation)}, available: ${show(observation.available, format)}. `,
      whole?.text ?? '',
      ...greedy.map(({ text }) => text),
    ].join(''),
    annotations: {
      ...whole?.annotations,
      offending_containers: greedy.map(({ name }) => name).join(','),
      offending_containers_usage: greedy.map(({ used }) => used).join(','),
      starved_resource: resource,
    },
  }
}

/** A pod that asks for memory as a whole is told of as a whole too. */
function wholePod(usage: PodUsage) {
  const { metadata, spec } = usage.pod
  const request = spec.resources?.requests?.memory
  if (request === undefined || usage.containers.length === 0) return undefined
  const used = show(memoryOf(usage))
  return {
    text: `Pod ${metadata.name} was using ${used}, request is ${request}, has larger consumption of memory. `,
    annotations: { offending_pod: metadata.name, offending_pod_usage: used },
  }
}

/** Only containers that use more than they asked for are named. */
function greedyContainer({ pod }: PodUsage, usage: ContainerUsage, resource: StarvedResource) {
  if (resource === 'inodes' || resource === 'pids') return []
  const { name, memory, rootfs, logs } = usage
  const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(one => one.name === name)
  if (!spec) return []
  const used = Quantity.fromValue(resource === 'memory' ? memory : rootfs.bytes + logs.bytes, 'BinarySI')
  const request = parseAmounts(spec.resources?.requests).get(resource) ?? Quantity.zero
  if (used.compare(request) <= 0) return []
  const text = `Container ${name} was using ${used.toString()}, request is ${request.toString()}, has larger consumption of ${resource}. `
  return [{ name, used: used.toString(), text }]
}
