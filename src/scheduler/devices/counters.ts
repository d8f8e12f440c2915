// Devices that are parts of the same hardware use up its counters. Upstream: structured checkAvailableCounters (KEP-4815).
import { Quantity } from '../../api/quantity.ts'
import type { Device } from '../../api/types/resource-v1.ts'
import { deviceId } from './allocated-devices.ts'
import type { AllocatedDevices } from './device-objects.ts'
import { devicesOf, type Pool } from './pools.ts'

/** What is left of the counters of one pool. */
export class PoolCounters {
  /** By counter set and counter; may be below zero. */
  readonly #left = new Map<string, Quantity>()

  constructor({ counterSets, slices, otherSlices }: Pool, { exclusive, consumed }: AllocatedDevices) {
    for (const { name: set, counters = {} } of counterSets.values()) {
      for (const [name, { value }] of Object.entries(counters)) {
        this.#left.set(keyOf(set, name), Quantity.parse(value))
      }
    }
    for (const slice of [...slices, ...otherSlices]) {
      for (const device of devicesOf(slice)) {
        const id = deviceId(slice.spec.driver, slice.spec.pool.name, device.name)
        if (exclusive.has(id) || consumed.has(id)) this.#change(device, (left, amount) => left.sub(amount))
      }
    }
  }

  /** False when something would not be enough; nothing is taken then. */
  take(device: Device): boolean {
    this.#change(device, (left, amount) => left.sub(amount))
    if (keysOf(device).every(key => (this.#left.get(key)?.sign ?? -1) >= 0)) return true
    this.giveBack(device)
    return false
  }

  giveBack(device: Device): void {
    this.#change(device, (left, amount) => left.add(amount))
  }

  #change(device: Device, by: (left: Quantity, amount: Quantity) => Quantity): void {
    for (const { counterSet, counters = {} } of device.consumesCounters ?? []) {
      for (const [name, { value }] of Object.entries(counters)) {
        const key = keyOf(counterSet, name)
        this.#left.set(key, by(this.#left.get(key) ?? Quantity.zero, Quantity.parse(value)))
      }
    }
  }
}

const keyOf = (set: string, counter: string) => `${set}/${counter}`

const keysOf = ({ consumesCounters = [] }: Device): string[] =>
  consumesCounters.flatMap(({ counterSet, counters = {} }) =>
    Object.keys(counters).map(name => keyOf(counterSet, name)),
  )
