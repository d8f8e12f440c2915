// What a claim asks for, prepared for the search: each request with its alternatives, classes and numbers of devices.
// Upstream: structured validateDeviceRequest.
import type {
  DeviceClass,
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaim,
} from '../../api/types/resource-v1.ts'
import { AllocationError } from './allocation-error.ts'
import { type Constraint, constraintOf } from './constraints.ts'
import type { Pool } from './pools.ts'
import { type Candidate, claimNameOf, MOST_DEVICES, type RequestPlan } from './request-plan.ts'

export interface ClaimPlan {
  readonly claim: ResourceClaim
  /** For each request its alternatives, the preferred one first. */
  readonly requests: readonly (readonly RequestPlan[])[]
  readonly constraints: readonly Constraint[]
}

export interface PlanParts {
  pools: readonly Pool[]
  classOf(name: string): DeviceClass | undefined
  /** The candidates that the request may have, whoever has them now. */
  selectable(claim: ResourceClaim, request: RequestPlan): readonly Candidate[]
}

/** Throws AllocationError when the claim cannot be met on any node as things are. */
export function planClaim(claim: ResourceClaim, parts: PlanParts): ClaimPlan {
  const { requests, constraints = [] } = claim.spec.devices
  const plans = (requests ?? []).map(request => planRequest(claim, request, parts))
  const least = plans.reduce((sum, choices) => sum + Math.min(...choices.map(({ count }) => count)), 0)
  if (least > MOST_DEVICES) {
    throw new AllocationError(
      `claim ${claimNameOf(claim)}: number of requested devices ${least} exceeds the claim limit of ${MOST_DEVICES}`,
    )
  }
  const known = constraints.map((spec, index) => {
    const constraint = constraintOf(spec)
    if (constraint) return constraint
    throw new AllocationError(
      `claim ${claimNameOf(claim)}, constraint #${index}: empty constraint (unsupported constraint type?)`,
    )
  })
  return { claim, requests: plans, constraints: known }
}

function planRequest(claim: ResourceClaim, request: DeviceRequest, parts: PlanParts): RequestPlan[] {
  const { name, exactly, firstAvailable = [] } = request
  if (exactly) return [planExact(claim, { name, base: name, own: name }, exactly, parts)]
  return firstAvailable.map(alternative => {
    const names = { name: `${name}/${alternative.name}`, base: name, own: alternative.name }
    return planExact(claim, names, alternative, parts)
  })
}

function planExact(
  claim: ResourceClaim,
  names: Pick<RequestPlan, 'name' | 'base' | 'own'>,
  spec: ExactDeviceRequest,
  parts: PlanParts,
): RequestPlan {
  const at = `claim ${claimNameOf(claim)}, request ${names.own}`
  const emptySelector = (spec.selectors ?? []).findIndex(({ cel }) => !cel)
  if (emptySelector >= 0) {
    const why = 'CEL expression empty (unsupported selector type?)'
    throw new AllocationError(`${at}, selector #${emptySelector}: ${why}`)
  }
  const plan = { ...names, spec, class: classFor(spec, at, parts), count: spec.count ?? 0 }
  if (spec.allocationMode === 'ExactCount') return plan
  if (spec.allocationMode !== 'All') {
    throw new AllocationError(`${at}: unsupported count mode ${spec.allocationMode ?? ''}`)
  }
  checkPools(parts.pools, at)
  const all = parts.selectable(claim, plan)
  return { ...plan, all, count: all.length }
}

function classFor({ deviceClassName }: ExactDeviceRequest, at: string, { classOf }: PlanParts): DeviceClass {
  if (!deviceClassName) {
    throw new AllocationError(`${at}: missing device class name (unsupported request type?)`)
  }
  const found = classOf(deviceClassName)
  if (found) return found
  const why = `deviceclass.resource.k8s.io "${deviceClassName}" not found`
  throw new AllocationError(`${at}: could not retrieve device class ${deviceClassName}: ${why}`)
}

/** How many all devices are is only known when all pools are. */
function checkPools(pools: readonly Pool[], at: string): void {
  for (const { id, isIncomplete, isInvalid } of pools) {
    const how = isIncomplete ? 'being updated' : isInvalid ? 'invalid' : undefined
    if (how) {
      throw new AllocationError(`${at}: asks for all devices, but resource pool ${id} is currently ${how}`)
    }
  }
}
