// Writes which volumes a Pod's claims are to get, and waits until the volume controller has bound them.
// Upstream: volumebinding bindAPIUpdate, checkBindings.
import { persistentVolumeClaims, persistentVolumes } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import type { AssumedPlan } from './assumed-volumes.ts'
import { SELECTED_NODE } from './plan-volumes.ts'
import { podClaims } from './pod-claims.ts'
import type { VolumeObjects } from './volume-objects.ts'

/** Upstream: DefaultBindTimeoutSeconds. */
const TIMEOUT_MS = 600_000

export interface VolumeBinderParts {
  client: Client
  clock: Clock
  /** As the API has them. */
  volumes: VolumeObjects
  /** Resolves at the next change of a claim or volume. */
  change(): Promise<void>
}

/** Rejects when something cannot be written, or is not bound after ten minutes. */
export async function bindVolumes(pod: Pod, plan: AssumedPlan, parts: VolumeBinderParts): Promise<void> {
  const { client, clock, volumes, change } = parts
  for (const volume of plan.volumes) await client.update(persistentVolumes, volume)
  for (const claim of plan.claims) await client.update(persistentVolumeClaims, claim)
  const timer = new AbortController()
  let timedOut = false
  const timeout = clock.sleep(TIMEOUT_MS, timer.signal).then(
    () => {
      timedOut = true
    },
    () => {},
  )
  try {
    for (;;) {
      const { delayed, immediate } = podClaims(pod, volumes)
      refuseUnprovisioned(plan, volumes)
      if (delayed.length + immediate.length === 0) return
      if (timedOut) throw new Error('binding volumes: context deadline exceeded')
      await Promise.race([change(), timeout])
    }
  } finally {
    timer.abort()
  }
}

/** A provisioner that cannot serve the node takes the choice back: another node has to be found. */
function refuseUnprovisioned({ claims }: AssumedPlan, volumes: VolumeObjects): void {
  for (const { metadata } of claims) {
    const now = volumes.claim(metadata.namespace ?? '', metadata.name)
    const isKnown = now && isNewer(now.metadata.resourceVersion, metadata.resourceVersion)
    if (isKnown && !now.spec.volumeName && now.metadata.annotations?.[SELECTED_NODE] === undefined)
      throw new Error(`binding volumes: provisioning failed for PVC "${metadata.name}"`)
  }
}

const isNewer = (a: string | undefined, b: string | undefined): boolean => BigInt(a ?? 0) > BigInt(b ?? 0)
