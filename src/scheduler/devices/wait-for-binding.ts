// Waits until the devices of a Pod are ready for it. Upstream: dynamicresources isPodReadyForBinding (KEP-5007).
import type { ResourceClaim } from '../../api/types/resource-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { BINDING_TIMEOUT_MS, readinessOf } from './binding-conditions.ts'
import type { DeviceObjects } from './device-objects.ts'

export interface WaitParts {
  clock: Clock
  devices: DeviceObjects
  /** Resolves at the next change of a ResourceClaim. */
  change(): Promise<void>
}

/** Rejects when a device has failed, or is not ready after ten minutes. */
export async function waitForBinding(claims: readonly ResourceClaim[], parts: WaitParts): Promise<void> {
  const { clock, change } = parts
  const timer = new AbortController()
  let isOver = false
  const over = clock.sleep(BINDING_TIMEOUT_MS, timer.signal).then(
    () => {
      isOver = true
    },
    () => {},
  )
  try {
    while (!areReady(claims, parts)) {
      if (isOver) throw new Error('device binding timeout')
      await Promise.race([change(), over])
    }
  } finally {
    timer.abort()
  }
}

function areReady(claims: readonly ResourceClaim[], { devices }: WaitParts): boolean {
  return claims.every(({ metadata }) => {
    const { namespace = '', name } = metadata
    const claim = devices.claim(namespace, name)
    if (!claim) throw new Error(`could not find ResourceClaim "${namespace}/${name}"`)
    const readiness = readinessOf(claim)
    if (readiness.is === 'failed') throw new Error(readiness.why)
    return readiness.is === 'ready'
  })
}
