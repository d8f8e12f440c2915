// What the devices of one claim must have in common, or must not. Once a set of devices breaks a constraint no more
// devices can mend it. Upstream: structured matchAttributeConstraint, distinctAttributeConstraint.
import type { Device, DeviceAttribute, DeviceConstraint } from '../../api/types/resource-v1.ts'
import type { RequestPlan } from './request-plan.ts'

export interface Constraint {
  /** False when the device breaks it; otherwise it is counted until `remove`. */
  add(request: RequestPlan, driver: string, device: Device): boolean
  /** For each successful `add` once, with the same arguments, in reverse order. */
  remove(request: RequestPlan): void
}

export function constraintOf(spec: DeviceConstraint): Constraint | undefined {
  const { matchAttribute, distinctAttribute, requests = [] } = spec
  const concerns = ({ base, name }: RequestPlan) =>
    requests.length === 0 || requests.includes(base) || requests.includes(name)
  if (matchAttribute) return new AttributeConstraint(matchAttribute, concerns, 'same')
  return distinctAttribute ? new AttributeConstraint(distinctAttribute, concerns, 'distinct') : undefined
}

class AttributeConstraint implements Constraint {
  readonly #name: string
  readonly #concerns: (request: RequestPlan) => boolean
  readonly #want: 'same' | 'distinct'
  /** Of the devices in the set, as they came. */
  readonly #values: string[] = []

  constructor(name: string, concerns: (request: RequestPlan) => boolean, want: 'same' | 'distinct') {
    this.#name = name
    this.#concerns = concerns
    this.#want = want
  }

  add(request: RequestPlan, driver: string, device: Device): boolean {
    if (!this.#concerns(request)) return true
    const attribute = attributeOf(device, driver, this.#name)
    const value = attribute && typedValue(attribute)
    if (value === undefined) return false
    const isKnown = this.#values.includes(value)
    if (this.#want === 'same' ? this.#values.length > 0 && !isKnown : isKnown) return false
    this.#values.push(value)
    return true
  }

  remove(request: RequestPlan): void {
    if (this.#concerns(request)) this.#values.pop()
  }
}

/** Names without a domain are in the driver's. */
function attributeOf({ attributes = {} }: Device, driver: string, name: string): DeviceAttribute | undefined {
  if (Object.hasOwn(attributes, name)) return attributes[name]
  const slash = name.indexOf('/')
  return slash > 0 && name.slice(0, slash) === driver ? attributes[name.slice(slash + 1)] : undefined
}

/** With its type: values of different types are never the same. */
function typedValue(attribute: DeviceAttribute): string | undefined {
  for (const type of ['string', 'int', 'bool', 'version'] as const) {
    if (attribute[type] !== undefined) return `${type} ${attribute[type]}`
  }
  return undefined
}
