import type { Pod } from '../../api/types/core-v1.ts'
import type { ClusterEvent } from '../cluster-event.ts'
import { AllocationError } from '../devices/allocation-error.ts'
import { type NodeLike, type PodDevices, planDevices, prepareDevices } from '../devices/plan-devices.ts'
import { claimsOfPod } from '../devices/pod-claims.ts'
import { normalizeToMax, type Plugin, unresolvable } from '../framework.ts'

/** Upstream: FirstAvailableDeviceRequestMaxSize. */
const MOST_ALTERNATIVES = 8

/** The Pod's claims get their devices, or can be used, on the node. Upstream: dynamicresources. */
export const dynamicResources: Plugin<PodDevices, PodDevices> = {
  name: 'DynamicResources',
  weight: 2,
  hold: (pod, { devices }) => claimsOfPod(pod, devices).problem,
  prepare(pod, { objects: { devices } }) {
    const { prepared, problem } = prepareDevices(pod, devices)
    if (problem !== undefined) return { rejection: unresolvable(problem) }
    return prepared ? { state: prepared } : { skip: true }
  },
  filter(_pod, node, prepared) {
    try {
      const { reason } = planDevices(prepared, node)
      return reason === undefined ? undefined : unresolvable(reason)
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error
      throw new Error(`running "DynamicResources" filter plugin: ${error.message}`)
    }
  },
  prepareScore(pod, _feasible, { objects: { devices } }) {
    const { prepared } = prepareDevices(pod, devices)
    return prepared?.claims.some(hasAlternatives) ? { state: prepared } : 'skip'
  },
  score: (_pod, node, prepared) => preferenceOf(prepared, node),
  normalize: scores => normalizeToMax(scores),
  mayHelp(event, pod) {
    switch (event.what) {
      case 'nodeAdded':
      case 'devicesChanged':
        return true
      case 'nodeChanged':
        return event.aspects.has('labels')
      case 'podChanged':
        return event.aspects.has('claims')
      case 'deviceClaimChanged':
        return claimMayHelp(event, pod)
      default:
        return false
    }
  },
}

const hasAlternatives = ({ spec, status }: PodDevices['claims'][number]) =>
  !status.allocation && spec.devices.requests?.some(({ firstAvailable = [] }) => firstAvailable.length > 0)

/** The sooner in the list the alternative stands that is had on the node, the more. Upstream: computeScore. */
function preferenceOf(prepared: PodDevices, node: NodeLike): number {
  let score = 0
  for (const { claim, requests } of planDevices(prepared, node).plan?.found ?? []) {
    for (const [index, { firstAvailable = [] }] of (claim.spec.devices.requests ?? []).entries()) {
      const place = firstAvailable.findIndex(({ name }) => name === requests[index]!.own)
      if (place >= 0) score += MOST_ALTERNATIVES - place
    }
  }
  return score
}

/** Devices are free again, or it is the Pod's own claim. Upstream: isSchedulableAfterClaimChange. */
function claimMayHelp(event: ClusterEvent & { what: 'deviceClaimChanged' }, pod: Pod): boolean {
  const { old, claim, isGone } = event
  if (isGone) return claim.status.allocation !== undefined
  if (old?.status.allocation && !claim.status.allocation) return true
  if (claim.metadata.namespace !== pod.metadata.namespace || !namesOf(pod).includes(claim.metadata.name))
    return false
  return !old || JSON.stringify(old.status) !== JSON.stringify(claim.status)
}

const namesOf = ({ spec, status }: Pod) => [
  ...(spec.resourceClaims ?? []).map(({ resourceClaimName }) => resourceClaimName),
  ...(status.resourceClaimStatuses ?? []).map(({ resourceClaimName }) => resourceClaimName),
]
