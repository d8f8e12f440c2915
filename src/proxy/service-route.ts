// How the node itself reaches service addresses: a route that sends them the pods' way, so that connections begin with
// an address that pods can answer; and 127.0.0.1 as an address of node ports. Both end with the bridge.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { attribute } from '../base/netlink/attributes.ts'
import { NETLINK, NetlinkSocket, NLM } from '../base/netlink/netlink-socket.ts'
import { ipBytes } from '../base/netlink/nft-elements.ts'

const NEW_ROUTE = 24
const AF_INET = 2
const route = { destination: 1, interface: 4, mainTable: 254, bootProtocol: 3, linkScope: 253, unicast: 1 }

/** False where there is no such bridge: another runtime made the pods' network, and its default route must do. */
export function routeServices(bridge: string, serviceCidr: string): boolean {
  const index = `/sys/class/net/${bridge}/ifindex`
  if (!existsSync(index)) return false
  const [address, prefix] = serviceCidr.split('/') as [string, string]
  const interfaceIndex = Buffer.alloc(4)
  interfaceIndex.writeUInt32LE(Number(readFileSync(index, 'utf8')))
  const header = Buffer.from([
    AF_INET,
    Number(prefix),
    0,
    0,
    route.mainTable,
    route.bootProtocol,
    route.linkScope,
    route.unicast,
    ...[0, 0, 0, 0],
  ])
  const body = Buffer.concat([
    header,
    attribute(route.destination, ipBytes(address)),
    attribute(route.interface, interfaceIndex),
  ])
  const netlink = new NetlinkSocket(NETLINK.route)
  try {
    netlink.request({ type: NEW_ROUTE, flags: NLM.create | NLM.replace, body })
  } finally {
    netlink.close()
  }
  // Packets of 127.0.0.1 may leave through the bridge; that pods send none to it is seen to by the table's rules.
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1')
  return true
}
