// Which cluster addresses and node ports Services hold. Kept from the Services themselves, so a restart finds the
// same ones taken. Upstream: pkg/registry/core/service/{ipallocator,portallocator}, without stored bitmaps.
import type { Service } from '../../../../api/types/core-v1.ts'

/** Upstream's default service-node-port-range. */
const FIRST_NODE_PORT = 30_000
const LAST_NODE_PORT = 32_767

export interface Holdings {
  ips: ReadonlySet<string>
  nodePorts: ReadonlySet<number>
}

export class ServiceAddresses {
  readonly cidr: string
  readonly #base: number
  readonly #size: number
  readonly #holdings = new Map<string, Holdings>()
  readonly #random: () => number

  constructor(cidr: string, random: () => number = Math.random) {
    const [address = '', bits = ''] = cidr.split('/')
    this.cidr = cidr
    this.#size = 2 ** (32 - Number(bits))
    this.#base = Math.floor(toNumber(address) / this.#size) * this.#size
    this.#random = random
  }

  /** The address of the `kubernetes` Service. */
  get first(): string {
    return toText(this.#base + 1)
  }

  holdingsOf(key: string): Holdings | undefined {
    return this.#holdings.get(key)
  }

  /** `undefined` forgets. */
  set(key: string, holdings: Holdings | undefined): void {
    if (holdings && holdings.ips.size + holdings.nodePorts.size > 0) this.#holdings.set(key, holdings)
    else this.#holdings.delete(key)
  }

  contains(ip: string): boolean {
    const offset = toNumber(ip) - this.#base
    return offset > 0 && offset < this.#size - 1
  }

  /** By anyone but `key`. */
  isIpTaken(ip: string, key: string): boolean {
    for (const [holder, { ips }] of this.#holdings) if (holder !== key && ips.has(ip)) return true
    return false
  }

  isPortTaken(port: number, key: string): boolean {
    for (const [holder, { nodePorts }] of this.#holdings)
      if (holder !== key && nodePorts.has(port)) return true
    return false
  }

  isPortInRange(port: number): boolean {
    return port >= FIRST_NODE_PORT && port <= LAST_NODE_PORT
  }

  get portRange(): string {
    return `${FIRST_NODE_PORT}-${LAST_NODE_PORT}`
  }

  /** Addresses for whoever asks none in particular come from beyond the band that people pick fixed ones from. */
  freeIp(): string | undefined {
    const taken = new Set<string>()
    for (const { ips } of this.#holdings.values()) for (const ip of ips) taken.add(ip)
    const fixed = Math.min(Math.max(16, Math.floor(this.#size / 16)), 256)
    const lower = Math.min(fixed, this.#size - 2)
    return this.#search(lower, this.#size - 2, taken) ?? this.#search(1, lower, taken)
  }

  #search(from: number, to: number, taken: ReadonlySet<string>): string | undefined {
    const count = to - from + 1
    const start = Math.floor(this.#random() * count)
    for (let step = 0; step < count; step++) {
      const ip = toText(this.#base + from + ((start + step) % count))
      if (!taken.has(ip) && ip !== this.first) return ip
    }
    return undefined
  }

  freePort(alsoTaken: ReadonlySet<number>): number | undefined {
    const taken = new Set(alsoTaken)
    for (const { nodePorts } of this.#holdings.values()) for (const port of nodePorts) taken.add(port)
    const count = LAST_NODE_PORT - FIRST_NODE_PORT + 1
    const start = Math.floor(this.#random() * count)
    for (let step = 0; step < count; step++) {
      const port = FIRST_NODE_PORT + ((start + step) % count)
      if (!taken.has(port)) return port
    }
    return undefined
  }
}

/** What a Service holds, as it stands. */
export function holdingsOfService({ spec }: Service): Holdings {
  const ips = [spec.clusterIP, ...(spec.clusterIPs ?? [])].filter(
    ip => ip !== undefined && ip !== '' && ip !== 'None',
  )
  const nodePorts = (spec.ports ?? []).map(port => port.nodePort ?? 0).filter(port => port > 0)
  if (spec.healthCheckNodePort) nodePorts.push(spec.healthCheckNodePort)
  return { ips: new Set(ips as string[]), nodePorts: new Set(nodePorts) }
}

function toNumber(ip: string): number {
  const parts = ip.split('.').map(Number)
  if (parts.length !== 4 || parts.some(part => !Number.isInteger(part) || part < 0 || part > 255))
    return Number.NaN
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

function toText(ip: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(ip / 2 ** shift) % 256).join('.')
}
