// Ports of the node that lead to containers, as elements of maps in the node's nftables table. Elements are made for a
// sandbox when it gets its address and go with it; nothing listens on the port.
import { forgetConnection, listConnections } from '../../../base/netlink/conntrack.ts'
import { NETLINK, NetlinkSocket } from '../../../base/netlink/netlink-socket.ts'
import {
  endpointBytes,
  identityOf,
  ipBytes,
  ipText,
  type NftElement,
  type Protocol,
  portBytes,
  protocolBytes,
} from '../../../base/netlink/nft-elements.ts'
import { changeElements } from '../../../base/netlink/nft-messages.ts'
import type { PortMapping } from '../../cri/cri.generated.ts'

const ANY_ADDRESS = new Set(['', '0.0.0.0', '::'])
const UDP = 17

/** The part of the table's text that looks into the maps. `known`: elements that are there from the start. */
export function hostPortRules(bridge: string, known: readonly NftElement[]): string {
  const to = (key: string, map: string) => `dnat ip to ${key} map @${map}`
  const anywhere = `fib daddr type local ${to('meta l4proto . th dport', 'host-ports')}`
  const ports = 'meta l4proto { tcp, udp, sctp }'
  const elements = (map: string, text: (element: NftElement) => string) => {
    const own = known.filter(element => element.map === map).map(text)
    return own.length > 0 ? ` elements = { ${own.join(', ')} };` : ''
  }
  return `
  map host-ports { typeof meta l4proto . th dport : ip daddr . th dport;${elements('host-ports', shown)} }
  map host-ports-at { typeof ip daddr . meta l4proto . th dport : ip daddr . th dport;${elements('host-ports-at', shown)} }
  set host-port-pods { type ipv4_addr . ipv4_addr;${elements('host-port-pods', ({ key }) => `${ipText(key)} . ${ipText(key)}`)} }
  chain host-ports {
    ${ports} ${to('ip daddr . meta l4proto . th dport', 'host-ports-at')}
    ${ports} ${anywhere}
  }
  chain host-ports-in { type nat hook prerouting priority -99; jump host-ports; }
  chain host-ports-out { type nat hook output priority -99; jump host-ports; }
  chain host-ports-back {
    type nat hook postrouting priority 98;
    ct status dnat ip saddr . ip daddr @host-port-pods masquerade
    ct status dnat oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade
  }
  chain host-ports-guard {
    type filter hook prerouting priority raw;
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
  }`
}

/** As nft writes it. */
function shown({ map, key, value }: NftElement): string {
  const withAddress = map === 'host-ports-at'
  const rest = withAddress ? key.subarray(4) : key
  const bytes = value.to === 'data' ? value.bytes : Buffer.alloc(8)
  const left = `${withAddress ? `${ipText(key)} . ` : ''}${rest[0]} . ${rest.readUInt16BE(4)}`
  return `${left} : ${ipText(bytes)} . ${bytes.readUInt16BE(4)}`
}

/** Undefined: of the other family, or no port of the host at all. */
function elementOf(ip: string, mapping: PortMapping): NftElement | undefined {
  const { hostPort = 0, containerPort, hostIp = '' } = mapping
  if (hostPort <= 0 || (hostIp.includes(':') && hostIp !== '::')) return undefined
  const protocol: Protocol = mapping.protocol ?? 'TCP'
  const rest = [protocolBytes(protocol), portBytes(hostPort)]
  const value = { to: 'data' as const, bytes: endpointBytes(ip, containerPort) }
  return ANY_ADDRESS.has(hostIp)
    ? { map: 'host-ports', key: Buffer.concat(rest), value }
    : { map: 'host-ports-at', key: Buffer.concat([ipBytes(hostIp), ...rest]), value }
}

export class HostPorts {
  readonly #table: string
  readonly #bySandbox = new Map<string, NftElement[]>()

  constructor(table: string) {
    this.#table = table
  }

  /** Elements of every sandbox, each once. */
  elements(): NftElement[] {
    const all = [...this.#bySandbox.values()].flat()
    return [...new Map(all.map(element => [identityOf(element), element])).values()]
  }

  /** Takes back what is in the kernel from before, or will be with the table. */
  restore(sandboxId: string, ip: string, mappings: readonly PortMapping[]): void {
    const found = mappings.flatMap(mapping => elementOf(ip, mapping) ?? [])
    if (found.length === 0) return
    const bytes = ipBytes(ip)
    const self: NftElement = {
      map: 'host-port-pods',
      key: Buffer.concat([bytes, bytes]),
      value: { to: 'nothing' },
    }
    this.#bySandbox.set(sandboxId, [...found, self])
  }

  /** A port that another sandbox still holds goes over to the new one: that other one is on its way out. */
  open(sandboxId: string, ip: string, mappings: readonly PortMapping[]): void {
    const before = new Map(this.elements().map(element => [identityOf(element), element]))
    this.restore(sandboxId, ip, mappings)
    const add = this.#bySandbox.get(sandboxId) ?? []
    if (add.length === 0) return
    this.#change(
      add.flatMap(element => before.get(identityOf(element)) ?? []),
      add,
    )
    this.#forgetDatagrams(add)
  }

  close(sandboxId: string): void {
    const own = this.#bySandbox.get(sandboxId)
    if (!own) return
    this.#bySandbox.delete(sandboxId)
    const left = new Set(this.elements().map(identityOf))
    const remove = own.filter(element => !left.has(identityOf(element)))
    this.#change(remove, [])
    this.#forgetDatagrams(remove)
  }

  #change(remove: readonly NftElement[], add: readonly NftElement[]): void {
    if (remove.length + add.length === 0) return
    this.#withNetlink(netlink => netlink.batch(changeElements(this.#table, { remove, add })))
  }

  /** Those under way know of no change by themselves. */
  #forgetDatagrams(elements: readonly NftElement[]): void {
    const ports = new Set(elements.flatMap(element => udpPort(element) ?? []))
    if (ports.size === 0) return
    this.#withNetlink(netlink => {
      for (const connection of listConnections(netlink)) {
        const { protocolNumber, destinationPort } = connection
        if (protocolNumber === UDP && ports.has(destinationPort)) forgetConnection(netlink, connection)
      }
    })
  }

  #withNetlink(work: (netlink: NetlinkSocket) => void): void {
    const netlink = new NetlinkSocket(NETLINK.netfilter)
    try {
      work(netlink)
    } finally {
      netlink.close()
    }
  }
}

function udpPort({ map, key }: NftElement): number | undefined {
  if (map === 'host-port-pods') return undefined
  const rest = map === 'host-ports-at' ? key.subarray(4) : key
  return rest[0] === UDP ? rest.readUInt16BE(4) : undefined
}
