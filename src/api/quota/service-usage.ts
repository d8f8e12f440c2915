// What a Service costs. Upstream: pkg/quota/v1/evaluator/core/services.go.
import { Quantity } from '../quantity.ts'
import type { Service } from '../types/core-v1.ts'
import { one, type ResourceAmounts } from './amounts.ts'

const NAMES = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers'])

export const isServiceResource = (name: string): boolean => NAMES.has(name)

export function serviceUsage({ spec }: Service): ResourceAmounts {
  const { type, ports = [], allocateLoadBalancerNodePorts } = spec
  const isBalanced = type === 'LoadBalancer'
  const counted =
    isBalanced && allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort) : ports
  const nodePorts = type === 'NodePort' || isBalanced ? counted.length : 0
  return new Map([
    ['count/services', one],
    ['services', one],
    ['services.nodeports', Quantity.fromValue(nodePorts)],
    ['services.loadbalancers', isBalanced ? one : Quantity.zero],
  ])
}
