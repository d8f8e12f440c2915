import type { Container, PodSpec } from '../types/core-v1.ts'
import { parseAmounts, type ResourceAmounts } from './resources.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const COUNTED = ['cpu', 'memory'] as const

/** Only cpu and memory count; init containers count, ephemeral ones do not. Upstream: qos.ComputePodQOS. */
export function qosClass(spec: PodSpec): QosClass {
  const parts: Pick<Container, 'resources'>[] = spec.resources
    ? [{ resources: spec.resources }]
    : [...spec.containers, ...(spec.initContainers ?? [])]
  const requests = parts.map(part => positive(parseAmounts(part.resources?.requests)))
  const limits = parts.map(part => positive(parseAmounts(part.resources?.limits)))
  if (requests.every(isEmpty) && limits.every(isEmpty)) return 'BestEffort'
  if (!limits.every(limit => COUNTED.every(name => limit.has(name)))) return 'Burstable'
  const equal = COUNTED.every(name => {
    const asked = requests.some(request => request.has(name))
    return !asked || sum(requests, name) === sum(limits, name)
  })
  return equal ? 'Guaranteed' : 'Burstable'
}

function positive(amounts: ResourceAmounts): ResourceAmounts {
  return new Map([...amounts].filter(([name, amount]) => COUNTED.includes(name as 'cpu') && amount.sign > 0))
}

const isEmpty = (amounts: ResourceAmounts) => amounts.size === 0

function sum(list: readonly ResourceAmounts[], name: string): number {
  return list.reduce((total, amounts) => total + (amounts.get(name)?.milliValue() ?? 0), 0)
}
