// resourceFieldRef as text. Upstream: api/v1/resource ExtractContainerResourceValue.
import { Quantity } from '../../api/quantity.ts'
import type { Container, Pod, ResourceFieldSelector } from '../../api/types/core-v1.ts'
import { findContainer } from '../pod-name.ts'
import { ConfigError } from './config-error.ts'

/** Limits that are not set show what the node has to offer. */
export function resourceFieldValue(
  pod: Pod,
  own: Container | undefined,
  { containerName, resource, divisor }: ResourceFieldSelector,
  allocatable: Readonly<Record<string, string>>,
): string {
  const container = containerName ? findContainer(pod, containerName) : own
  if (!container) throw new ConfigError(`container ${containerName} not found`)
  const [kind, ...rest] = resource.split('.')
  const name = rest.join('.')
  const amounts = container.resources?.[kind as 'limits' | 'requests']
  const fallback = kind === 'limits' ? allocatable[name] : container.resources?.limits?.[name]
  const amount = Quantity.parse(amounts?.[name] ?? fallback ?? '0')
  const unit = Quantity.parse(divisor && divisor !== '0' ? divisor : '1')
  const [value, by] =
    name === 'cpu' ? [amount.milliValue(), unit.milliValue()] : [amount.value(), unit.value()]
  return String(Math.ceil(value / by))
}
