// Gives a Pod the devices that were found for it: at once in the scheduler's own eyes, then in the API.
// Upstream: dynamicresources Reserve, PreBind, bindClaim, Unreserve.
import { randomUUID } from 'node:crypto'
import { pods, resourceClaims } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { AllocationResult, ResourceClaim } from '../../api/types/resource-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import type { EventsV1Recorder } from '../../client/events/events-v1-recorder.ts'
import { allocationOf } from './allocation-result.ts'
import type { AssumedClaims } from './assumed-claims.ts'
import { hasBindingConditions } from './binding-conditions.ts'
import { type ExtendedClaim, extendedClaimDraft } from './extended-resources.ts'
import { type NodeLike, planDevices, prepareDevices } from './plan-devices.ts'
import { isReservedFor } from './pod-claims.ts'
import { claimNameOf } from './request-plan.ts'
import { waitForBinding } from './wait-for-binding.ts'

/** The guard of claims with devices. */
const FINALIZER = 'resource.kubernetes.io/delete-protection'
/** Upstream: retry.DefaultRetry. */
const MOST_TRIES = 5

export interface DeviceBinderParts {
  client: Client
  clock: Clock
  log: Log
  recorder: EventsV1Recorder
  devices: AssumedClaims
  /** Resolves at the next change of a ResourceClaim. */
  change(): Promise<void>
}

/** A Pod's claims, with the devices that those get that have none. */
export interface AssumedDevices {
  claims: ResourceClaim[]
  /** By uid of the claim. */
  readonly allocations: Map<string, AllocationResult>
  /** To be made for extended resources; then it is the last of `claims`. */
  readonly extended?: ExtendedClaim
  /** What was made of it. */
  made?: ResourceClaim
}

export class DeviceBinder {
  readonly #parts: DeviceBinderParts

  constructor(parts: DeviceBinderParts) {
    this.#parts = parts
  }

  /** undefined: the Pod has no claims. Throws Error when there is nothing for it on the node. */
  assume(pod: Pod, node: NodeLike): AssumedDevices | undefined {
    const { devices } = this.#parts
    const { prepared, problem } = prepareDevices(pod, devices)
    if (problem !== undefined) throw new Error(problem)
    if (!prepared) return undefined
    const { plan, reason } = planDevices(prepared, node)
    if (!plan) throw new Error(reason)
    const allocations = new Map<string, AllocationResult>()
    for (const found of plan.found) {
      const allocation = allocationOf(found, node.node, randomUUID)
      allocations.set(found.claim.metadata.uid!, allocation)
      devices.assume(found.claim, allocation)
    }
    const { extended } = plan
    if (prepared.claims.length === 0 && !extended) return undefined
    return { claims: [...prepared.claims], allocations, ...(extended && { extended }) }
  }

  /** Rejects when something cannot be written, or the devices do not get ready. */
  async bind(pod: Pod, node: string, assumed: AssumedDevices): Promise<void> {
    const { recorder } = this.#parts
    try {
      await this.#makeExtended(pod, assumed)
      for (const [index, claim] of assumed.claims.entries()) {
        if (isReservedFor(claim, pod)) continue
        const allocation = assumed.allocations.get(claim.metadata.uid!)
        assumed.claims[index] = await this.#bindClaim(pod, claim, allocation)
      }
      await this.#tellExtended(pod, assumed)
      if (!assumed.claims.some(hasBindingConditions)) return
      const note = `waiting for binding conditions for device on node ${node}`
      recorder.event(pod, undefined, 'Normal', 'BindingConditionsPending', 'Scheduling', note)
      await waitForBinding(assumed.claims, this.#parts)
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`running PreBind plugin "DynamicResources": ${why}`)
    }
  }

  /** The Pod is not bound after all: claims that it reserved are others' to use. */
  async unreserve(pod: Pod, assumed: AssumedDevices): Promise<void> {
    const { client, log } = this.#parts
    this.forget(assumed)
    if (assumed.made) await this.remove(assumed.made)
    for (const claim of assumed.claims) {
      if (claim.metadata.uid === assumed.made?.metadata.uid) continue
      const { name, namespace = '', uid } = claim.metadata
      if (!claim.status.allocation || !isReservedFor(claim, pod)) continue
      const gone = [{ $patch: 'delete', uid: pod.metadata.uid }]
      const patch = { metadata: { uid }, status: { reservedFor: gone } }
      const type = 'application/strategic-merge-patch+json'
      try {
        await client.patch(resourceClaims, { name, namespace }, type, patch, { subresource: 'status' })
      } catch (error) {
        if (!isNotFound(error)) log.warn({ error, claim: claimNameOf(claim) }, 'a claim stays reserved')
      }
    }
  }

  /** Takes its devices from a claim that nobody uses. */
  async free(claim: ResourceClaim): Promise<void> {
    const { client, log } = this.#parts
    const { allocation: _, reservedFor: __, devices: ___, ...status } = claim.status
    try {
      await client.update(resourceClaims, { ...claim, status }, { subresource: 'status' })
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error))
        log.warn({ error, claim: claimNameOf(claim) }, 'a claim keeps its devices')
    }
  }

  /** Deletes a claim that was made for extended resources, whatever guards it. Never rejects. */
  async remove(claim: ResourceClaim): Promise<void> {
    const { client, log } = this.#parts
    const { name, namespace = '', uid } = claim.metadata
    try {
      const finalizers = { metadata: { uid, finalizers: null } }
      await client.patch(resourceClaims, { name, namespace }, 'application/merge-patch+json', finalizers)
      await client.delete(resourceClaims, { name, namespace }, { preconditions: { uid: uid! } })
    } catch (error) {
      if (!isNotFound(error)) log.warn({ error, claim: claimNameOf(claim) }, 'a claim was not deleted')
    }
  }

  /** The claim that was thought of gets a name, and its devices stay its own. */
  async #makeExtended(pod: Pod, assumed: AssumedDevices): Promise<void> {
    const { client, devices } = this.#parts
    const { extended, allocations } = assumed
    if (!extended) return
    const { claim } = extended
    const made = await client.create(resourceClaims, extendedClaimDraft(pod, claim))
    const allocation = allocations.get(claim.metadata.uid!)!
    allocations.set(made.metadata.uid!, allocation)
    devices.assume(made, allocation)
    devices.forget(claim.metadata.uid!)
    assumed.made = made
    assumed.claims.push(made)
  }

  /** The kubelet learns from the Pod's status which containers get which devices. */
  async #tellExtended(pod: Pod, { extended, made }: AssumedDevices): Promise<void> {
    if (!extended || !made) return
    const { name, namespace = '', uid } = pod.metadata
    const told = { requestMappings: extended.mappings, resourceClaimName: made.metadata.name }
    const patch = { metadata: { uid }, status: { extendedResourceClaimStatus: told } }
    const type = 'application/strategic-merge-patch+json'
    await this.#parts.client.patch(pods, { name, namespace }, type, patch, { subresource: 'status' })
  }

  /** What the API says counts from now on. */
  forget({ allocations }: AssumedDevices): void {
    for (const uid of allocations.keys()) this.#parts.devices.forget(uid)
  }

  /** Somebody else may have changed it in between: then it is looked at again. */
  async #bindClaim(pod: Pod, claim: ResourceClaim, allocation: AllocationResult | undefined) {
    const { client, devices } = this.#parts
    const { name, namespace = '' } = claim.metadata
    let current = claim
    for (let tries = 1; ; tries++) {
      try {
        const written = await this.#write(pod, current, allocation)
        devices.wrote(written)
        return written
      } catch (error) {
        if (!isConflict(error) || tries >= MOST_TRIES) throw error
        current = await client.get(resourceClaims, { name, namespace })
      }
    }
  }

  async #write(pod: Pod, claim: ResourceClaim, allocation: AllocationResult | undefined) {
    const { client, clock } = this.#parts
    const at = claimNameOf(claim)
    if (claim.metadata.deletionTimestamp) throw new Error(`claim ${at} got deleted in the meantime`)
    if (allocation && claim.status.allocation) {
      throw new Error(`claim ${at} got allocated elsewhere in the meantime`)
    }
    const guarded = allocation ? await this.#guarded(claim) : claim
    const allocationTimestamp = formatTime(clock.now())
    const status = {
      ...guarded.status,
      allocation: { allocationTimestamp, ...(allocation ?? guarded.status.allocation!) },
      reservedFor: [
        ...(guarded.status.reservedFor ?? []),
        { resource: 'pods', name: pod.metadata.name, uid: pod.metadata.uid! },
      ],
    }
    return client.update(resourceClaims, { ...guarded, status }, { subresource: 'status' })
  }

  async #guarded(claim: ResourceClaim): Promise<ResourceClaim> {
    const finalizers = claim.metadata.finalizers ?? []
    if (finalizers.includes(FINALIZER)) return claim
    const metadata = { ...claim.metadata, finalizers: [...finalizers, FINALIZER] }
    return this.#parts.client.update(resourceClaims, { ...claim, metadata })
  }
}
