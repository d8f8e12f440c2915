// Devices that have to be made ready before the Pod that gets them is bound (KEP-5007). Pure.
// Upstream: dynamicresources isClaimReadyForBinding, isClaimTimeout.
import type { ResourceClaim } from '../../api/types/resource-v1.ts'

/** Upstream: BindingTimeoutDefaultSeconds. */
export const BINDING_TIMEOUT_MS = 600_000

export type Readiness = { is: 'ready' | 'waiting' } | { is: 'failed'; why: string }

export function readinessOf({ metadata, status }: ResourceClaim): Readiness {
  if (!status.allocation) return { is: 'waiting' }
  for (const result of status.allocation.devices.results ?? []) {
    const { bindingConditions = [], bindingFailureConditions = [] } = result
    if (bindingConditions.length === 0) continue
    const device = status.devices?.find(
      ({ driver, pool, device }) =>
        driver === result.driver && pool === result.pool && device === result.device,
    )
    if (!device) return { is: 'waiting' }
    const isTrue = (type: string) =>
      device.conditions?.some(one => one.type === type && one.status === 'True')
    const failure = device.conditions?.find(
      one => bindingFailureConditions.includes(one.type) && one.status === 'True',
    )
    if (failure) {
      const message = JSON.stringify(failure.message)
      return {
        is: 'failed',
        why: `claim ${metadata.name} binding failed: reason=${failure.reason}, message=${message}`,
      }
    }
    if (!bindingConditions.every(isTrue)) return { is: 'waiting' }
  }
  return { is: 'ready' }
}

export const hasBindingConditions = ({ status }: ResourceClaim): boolean =>
  status.allocation?.devices.results?.some(({ bindingConditions = [] }) => bindingConditions.length > 0) ??
  false

/** `now` in epoch milliseconds. */
export function isTimedOut(claim: ResourceClaim, now: number): boolean {
  const since = claim.status.allocation?.allocationTimestamp
  return since !== undefined && hasBindingConditions(claim) && Date.parse(since) + BINDING_TIMEOUT_MS < now
}

/** Other devices have to be found. */
export function isHopeless(claim: ResourceClaim, now: number): boolean {
  const readiness = readinessOf(claim)
  return readiness.is === 'failed' || (readiness.is === 'waiting' && isTimedOut(claim, now))
}
