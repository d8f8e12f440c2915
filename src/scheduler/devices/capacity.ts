// How much of a device a request takes, where many may share it. Pure. Upstream: structured consumable_capacity.go
// (KEP-5075).
import { Quantity } from '../../api/quantity.ts'
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  CapacityRequirements,
  Device,
  DeviceCapacity,
} from '../../api/types/resource-v1.ts'
import type { ConsumedCapacity } from './device-objects.ts'

const NONE: ConsumedCapacity = new Map()

/**
 * What the request takes of each capacity; undefined when the device has not enough left, lacks what is asked for, or
 * does not give such amounts.
 */
export function capacityFor(
  { capacity = {} }: Device,
  requirements: CapacityRequirements | undefined,
  used: ConsumedCapacity = NONE,
  alsoUsed: ConsumedCapacity = NONE,
): Map<string, Quantity> | undefined {
  const requests = requirements?.requests ?? {}
  if (Object.keys(requests).some(name => !(name in capacity))) return undefined
  const taken = new Map<string, Quantity>()
  for (const [name, offer] of Object.entries(capacity)) {
    const amount = amountOf(requests[name], offer)
    if (violates(amount, offer.requestPolicy)) return undefined
    const sum = [used.get(name), alsoUsed.get(name)].reduce<Quantity>(
      (total, part) => (part ? total.add(part) : total),
      amount,
    )
    if (sum.compare(Quantity.parse(offer.value)) > 0) return undefined
    taken.set(name, amount)
  }
  return taken
}

function amountOf(requested: string | undefined, { value, requestPolicy }: DeviceCapacity): Quantity {
  if (requested === undefined) return Quantity.parse(requestPolicy?.default ?? value)
  const wanted = Quantity.parse(requested)
  if (requestPolicy?.validRange?.min !== undefined) return roundedUp(wanted, requestPolicy.validRange)
  const fitting = requestPolicy?.validValues
    ?.map(text => Quantity.parse(text))
    .find(valid => wanted.compare(valid) <= 0)
  return fitting ?? wanted
}

/** To the next of the steps that begin at the least amount. */
function roundedUp(wanted: Quantity, { min = '0', step }: CapacityRequestPolicyRange): Quantity {
  const least = Quantity.parse(min)
  if (wanted.compare(least) < 0) return least
  if (step === undefined) return wanted
  const width = Quantity.parse(step)
  const steps = Math.ceil((wanted.value() - least.value()) / width.value())
  return Quantity.fromValue(least.value() + steps * width.value(), width.format)
}

function violates(amount: Quantity, policy: CapacityRequestPolicy | undefined): boolean {
  if (!policy) return false
  if (policy.default !== null && policy.default !== undefined && isSame(amount, policy.default)) return false
  if (policy.validRange) return violatesRange(amount, policy.validRange)
  return (policy.validValues?.length ?? 0) > 0 && !policy.validValues!.some(valid => isSame(amount, valid))
}

function violatesRange(amount: Quantity, { min = '0', max, step }: CapacityRequestPolicyRange): boolean {
  if (max !== undefined && amount.compare(Quantity.parse(max)) > 0) return true
  if (step === undefined) return false
  return (amount.value() - Quantity.parse(min).value()) % Quantity.parse(step).value() !== 0
}

const isSame = (amount: Quantity, text: string | number) => amount.compare(Quantity.parse(text)) === 0
