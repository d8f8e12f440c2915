// Which cluster addresses and node ports are held, and by which Services: those stored, and those being written right
// now. Made from the stored Services at the start, so a restart finds the same ones taken.
// Upstream: pkg/registry/core/service/{ipallocator,portallocator}, without stored bitmaps.
import type { Service } from '../../../../api/types/core-v1.ts'

/** Upstream's default service-node-port-range. */
const FIRST_NODE_PORT = 30_000
const LAST_NODE_PORT = 32_767

export interface Holdings {
  ips: ReadonlySet<string>
  nodePorts: ReadonlySet<number>
}

/** What one write in progress holds, besides what is stored. */
export interface Claim {
  readonly key: string
  readonly holdings: Holdings
}

export class ServiceAddresses {
  readonly #primary: AddressRange
  #ranges: readonly AddressRange[]
  readonly #stored = new Map<string, Holdings>()
  /** Address or port → keys of its holders; a key comes twice while a stored Service is written again. */
  readonly #holders = new Map<string | number, string[]>()
  readonly #random: () => number

  constructor(cidr: string, random: () => number = Math.random) {
    this.#primary = rangeOf(cidr)
    this.#ranges = [this.#primary]
    this.#random = random
  }

  /** Ranges of IPv4 from which addresses may be given besides the cluster's own. */
  setMoreRanges(cidrs: readonly string[]): void {
    const more = cidrs.filter(cidr => !cidr.includes(':') && cidr !== this.#primary.cidr)
    this.#ranges = [this.#primary, ...more.map(rangeOf)]
  }

  /** As messages show them. */
  get cidrs(): string {
    return this.#ranges.map(({ cidr }) => cidr).join(', ')
  }

  /** The address of the `kubernetes` Service. */
  get first(): string {
    return toText(this.#primary.base + 1)
  }

  /** What the stored Service holds. */
  storedBy(key: string): Holdings {
    return this.#stored.get(key) ?? NOTHING
  }

  /** Says what the stored Service holds; `undefined`: there is none. */
  settle(key: string, holdings: Holdings | undefined): void {
    this.#drop(key, this.storedBy(key))
    if (holdings) this.#stored.set(key, holdings)
    else this.#stored.delete(key)
    this.#hold(key, holdings ?? NOTHING)
  }

  /** Holds until released, whatever becomes of the stored Service. */
  claim(key: string, holdings: Holdings): Claim {
    this.#hold(key, holdings)
    return { key, holdings }
  }

  release({ key, holdings }: Claim): void {
    this.#drop(key, holdings)
  }

  #hold(key: string, { ips, nodePorts }: Holdings): void {
    for (const what of [...ips, ...nodePorts]) {
      const holders = this.#holders.get(what)
      if (holders) holders.push(key)
      else this.#holders.set(what, [key])
    }
  }

  #drop(key: string, { ips, nodePorts }: Holdings): void {
    for (const what of [...ips, ...nodePorts]) {
      const holders = this.#holders.get(what) ?? []
      const index = holders.indexOf(key)
      if (index >= 0) holders.splice(index, 1)
      if (holders.length === 0) this.#holders.delete(what)
    }
  }

  contains(ip: string): boolean {
    const number = toNumber(ip)
    return this.#ranges.some(({ base, size }) => number > base && number < base + size - 1)
  }

  /** By anyone but `key`. */
  isTaken(what: string | number, key: string): boolean {
    return this.#holders.get(what)?.some(holder => holder !== key) ?? false
  }

  isPortInRange(port: number): boolean {
    return port >= FIRST_NODE_PORT && port <= LAST_NODE_PORT
  }

  get portRange(): string {
    return `${FIRST_NODE_PORT}-${LAST_NODE_PORT}`
  }

  /** Addresses for whoever asks none in particular come from beyond the band that people pick fixed ones from. */
  freeIp(isReserved: (ip: string) => boolean = () => false): string | undefined {
    const free = (number: number) => {
      const ip = toText(number)
      return !this.#holders.has(ip) && ip !== this.first && !isReserved(ip) ? ip : undefined
    }
    for (const { base, size } of this.#ranges) {
      const band = Math.min(Math.max(16, Math.floor(size / 16)), 256)
      const found = this.#search(base + 1, base + size - 2, band, free)
      if (found) return found
    }
    return undefined
  }

  /** As for addresses: the lower band is for ports that people pick. KEP-3668. */
  freePort(alsoTaken: ReadonlySet<number>): number | undefined {
    const size = LAST_NODE_PORT - FIRST_NODE_PORT + 1
    const band = Math.min(Math.max(16, Math.floor(size / 32)), 128)
    const free = (port: number) => (this.#holders.has(port) || alsoTaken.has(port) ? undefined : port)
    return this.#search(FIRST_NODE_PORT, LAST_NODE_PORT, band, free)
  }

  /** From a random place beyond the band; in the band only when all else is taken. */
  #search<T>(first: number, last: number, band: number, free: (at: number) => T | undefined): T | undefined {
    const upper = Math.min(first + band, last + 1)
    return this.#searchFrom(upper, last, free) ?? this.#searchFrom(first, upper - 1, free)
  }

  #searchFrom<T>(from: number, to: number, free: (at: number) => T | undefined): T | undefined {
    const count = to - from + 1
    const start = Math.floor(this.#random() * count)
    for (let step = 0; step < count; step++) {
      const found = free(from + ((start + step) % count))
      if (found !== undefined) return found
    }
    return undefined
  }
}

const NOTHING: Holdings = { ips: new Set(), nodePorts: new Set() }

/** What a Service holds, as it stands. */
export function holdingsOfService({ spec }: Service): Holdings {
  const ips = [spec.clusterIP, ...(spec.clusterIPs ?? [])].filter(
    ip => ip !== undefined && ip !== '' && ip !== 'None',
  )
  const nodePorts = (spec.ports ?? []).map(port => port.nodePort ?? 0).filter(port => port > 0)
  if (spec.healthCheckNodePort) nodePorts.push(spec.healthCheckNodePort)
  return { ips: new Set(ips as string[]), nodePorts: new Set(nodePorts) }
}

interface AddressRange {
  cidr: string
  base: number
  size: number
}

function rangeOf(cidr: string): AddressRange {
  const [address = '', bits = ''] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  return { cidr, size, base: Math.floor(toNumber(address) / size) * size }
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
