// The pod network of one node: a bridge, a virtual cable per pod, an address each. Pods have /32 addresses and reach
// everything through the node, so that service addresses work the same whether bridged packets are filtered or not.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { PortMapping } from '../../cri/cri.generated.ts'
import { inNamespace } from '../syscall/namespaces.ts'
import { HostPorts, hostPortRules } from './host-ports.ts'
import { LinkRemover } from './link-remover.ts'
import { Netlink } from './netlink.ts'

const FORWARDING = '/proc/sys/net/ipv4/ip_forward'
/** Shared by all clusters of the machine: the value before the first of them. */
const FORWARDING_BEFORE = '/run/kubernode/.ip_forward'

export interface NetworkNames {
  bridge: string
  table: string
  /** Every cable's end on the node begins with this. */
  cablePrefix: string
}

/** Link names have at most 15 characters, so the cluster's name goes in as a hash. */
export function networkNames(cluster: string): NetworkNames {
  const hash = createHash('sha256').update(cluster).digest('hex')
  return {
    bridge: `kn-${hash.slice(0, 8)}`,
    table: `kubernode-${cluster}`,
    cablePrefix: `kv${hash.slice(0, 4)}`,
  }
}

export class PodNetwork {
  readonly #names: NetworkNames
  readonly #netlink = new Netlink()
  readonly #remover = new LinkRemover()
  readonly #hostPorts: HostPorts
  readonly #taken = new Map<string, string>()
  #range: { gateway: number; first: number; last: number; cidr: string } | undefined
  #bridge = 0
  #mtu = 1500
  #next = 0

  constructor(cluster: string) {
    this.#names = networkNames(cluster)
    this.#hostPorts = new HostPorts(this.#names.table)
  }

  get isReady(): boolean {
    return this.#range !== undefined
  }

  /** Makes bridge, route and masquerading for the node's range. Doing it again changes nothing. */
  configure(podCidr: string): void {
    if (this.#range?.cidr === podCidr) return
    const [address, prefixText] = podCidr.split('/') as [string, string]
    const prefix = Number(prefixText)
    const start = toNumber(address)
    const range = {
      cidr: podCidr,
      gateway: start + 1,
      first: start + 2,
      last: start + 2 ** (32 - prefix) - 2,
    }
    const link = this.#netlink.findLink(this.#names.bridge) ?? this.#makeBridge()
    this.#bridge = link.index
    this.#netlink.setUp(link.index)
    this.#netlink.addAddress(link.index, bytes(range.gateway), prefix)
    this.#allowForwarding()
    this.#masquerade(podCidr)
    this.#next = range.first
    this.#range = range
  }

  #makeBridge() {
    this.#netlink.addBridge(this.#names.bridge)
    const link = this.#netlink.findLink(this.#names.bridge)!
    // Without an address of its own a bridge takes a port's and changes it when that pod goes.
    const hash = createHash('sha256').update(this.#names.bridge).digest()
    this.#netlink.setHardwareAddress(link.index, Buffer.from([0x0a, 0x58, ...hash.subarray(0, 4)]))
    return link
  }

  #allowForwarding(): void {
    const before = readFileSync(FORWARDING, 'utf8').trim()
    mkdirSync(dirname(FORWARDING_BEFORE), { recursive: true, mode: 0o700 })
    if (!existsSync(FORWARDING_BEFORE)) writeFileSync(FORWARDING_BEFORE, before, { mode: 0o600 })
    if (before !== '1') writeFileSync(FORWARDING, '1')
  }

  #masquerade(podCidr: string): void {
    const { table, bridge } = this.#names
    const rules = `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr ${podCidr} ip daddr != ${podCidr} masquerade
  }${hostPortRules(bridge, this.#hostPorts.elements())}
}
`
    execFileSync('nft', ['-f', '-'], { input: rules, stdio: ['pipe', 'ignore', 'pipe'] })
    // The node may knock at its own ports at 127.0.0.1; that pods send nothing there is seen to by the rules.
    writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1')
  }

  /** Takes back an address given before the runtime was started again. */
  restore(sandboxId: string, address: string, ports: readonly PortMapping[]): void {
    this.#taken.set(address, sandboxId)
    this.#hostPorts.restore(sandboxId, address, ports)
  }

  /** Plugs a network namespace in and opens its ports of the host; answers its address. */
  attach(sandboxId: string, namespaceFile: string, ports: readonly PortMapping[]): string {
    const range = this.#range
    if (!range) throw new Error('the pod network has no address range yet')
    const address = this.#take(sandboxId)
    const namespace = openSync(namespaceFile, 'r')
    try {
      const name = this.#cable(sandboxId)
      this.#netlink.addVeth({
        name,
        master: this.#bridge,
        mtu: this.#mtu,
        peer: 'eth0',
        peerNamespace: namespace,
      })
      writeFileSync(`/sys/class/net/${name}/brport/hairpin_mode`, '1')
      this.#configureInside(namespaceFile, toNumber(address), range.gateway)
      this.#hostPorts.open(sandboxId, address, ports)
    } catch (error) {
      this.detach(sandboxId, address).catch(() => {})
      throw error
    } finally {
      closeSync(namespace)
    }
    return address
  }

  #configureInside(namespaceFile: string, address: number, gateway: number): void {
    const inside = inNamespace('net', namespaceFile, () => new Netlink())
    try {
      inside.setUp(inside.findLink('lo')!.index)
      const { index } = inside.findLink('eth0')!
      inside.setUp(index)
      inside.addAddress(index, bytes(address), 32)
      inside.addRoute({ index, destination: bytes(gateway), prefixLength: 32 })
      inside.addRoute({ index, prefixLength: 0, gateway: bytes(gateway) })
    } finally {
      inside.close()
    }
  }

  /** Unplugs; what is unplugged already is fine. Only then the address may be another's. */
  async detach(sandboxId: string, address: string): Promise<void> {
    this.#hostPorts.close(sandboxId)
    const cable = this.#cable(sandboxId)
    if (this.#netlink.findLink(cable)) await this.#remover.remove(cable)
    if (this.#taken.get(address) === sandboxId) this.#taken.delete(address)
  }

  #cable(sandboxId: string): string {
    return `${this.#names.cablePrefix}${sandboxId.slice(0, 8)}`
  }

  /** Addresses go round, so that one just freed is not given to the next pod at once. */
  #take(sandboxId: string): string {
    const { first, last } = this.#range!
    for (let tries = first; tries <= last; tries++) {
      const address = toText(this.#next)
      this.#next = this.#next >= last ? first : this.#next + 1
      if (this.#taken.has(address)) continue
      this.#taken.set(address, sandboxId)
      return address
    }
    throw new Error('every address of the pod network is in use')
  }
}

/** Brings the loopback of a namespace up that gets no cable. */
export function loopbackUp(namespaceFile: string): void {
  const inside = inNamespace('net', namespaceFile, () => new Netlink())
  inside.setUp(inside.findLink('lo')!.index)
  inside.close()
}

/** Removes every link and rule of a cluster and gives forwarding back when no other cluster needs it. */
export async function removeNetwork(cluster: string): Promise<void> {
  const names = networkNames(cluster)
  const netlink = new Netlink()
  const links = netlink.links().map(({ name }) => name)
  netlink.close()
  const remover = new LinkRemover()
  const own = links.filter(name => name === names.bridge || name.startsWith(names.cablePrefix))
  await Promise.all(own.map(name => remover.remove(name)))
  remover.close()
  const forget = `add table ip ${names.table}\ndelete table ip ${names.table}\n`
  execFileSync('nft', ['-f', '-'], { input: forget, stdio: ['pipe', 'ignore', 'pipe'] })
  restoreForwarding(cluster)
}

function restoreForwarding(cluster: string): void {
  if (!existsSync(FORWARDING_BEFORE)) return
  const folder = dirname(FORWARDING_BEFORE)
  const others = readdirSync(folder).filter(
    name => name !== cluster && existsSync(join(folder, name, 'running.json')),
  )
  if (others.length > 0) return
  writeFileSync(FORWARDING, readFileSync(FORWARDING_BEFORE))
  rmSync(FORWARDING_BEFORE)
}

const toNumber = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const bytes = (address: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(address)
  return buffer
}
const toText = (address: number) => bytes(address).join('.')
