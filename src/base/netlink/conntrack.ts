// The kernel's table of connections: which of them go where, and forgetting some, so that their next packet is looked
// at anew. IPv4 only. Numbers: linux/netfilter/nfnetlink_conntrack.h.
import { attribute, nested, readAttributes } from './attributes.ts'
import { NetlinkError, type NetlinkMessage, type NetlinkSocket, NLM } from './netlink-socket.ts'
import { ipText } from './nft-elements.ts'

const CONNTRACK = 1
const AF_INET = 2
const message = { get: 1, delete: 2 }
const entry = { original: 1, reply: 2, id: 12 }
const tuple = { ip: 1, protocol: 2 }
const ip = { source: 1, destination: 2 }
const protocol = { number: 1, sourcePort: 2, destinationPort: 3 }

/** As the client sees it, and who really answers. */
export interface Connection {
  protocolNumber: number
  destination: string
  destinationPort: number
  answerer: string
  answererPort: number
  /** The kernel's own description, for `forget`. */
  original: Buffer
  id: Buffer | undefined
}

const typeOf = (kind: number) => (CONNTRACK << 8) | kind
const header = () => Buffer.from([AF_INET, 0, 0, 0])

export function listConnections(netlink: NetlinkSocket): Connection[] {
  const request: NetlinkMessage = { type: typeOf(message.get), flags: 0, body: header() }
  return netlink.dump(request).flatMap(body => readConnection(body) ?? [])
}

/** One that is gone already is fine. */
export function forgetConnection(netlink: NetlinkSocket, { original, id }: Connection): void {
  const parts = [header(), nested(entry.original, original)]
  if (id) parts.push(attribute(entry.id, id))
  try {
    netlink.request({ type: typeOf(message.delete), flags: NLM.ack, body: Buffer.concat(parts) })
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') throw error
  }
}

/** Undefined: of a kind without ports. */
export function readConnection(body: Buffer): Connection | undefined {
  const attributes = readAttributes(body.subarray(4))
  const original = attributes.get(entry.original)
  const reply = attributes.get(entry.reply)
  const [to, from] = [original && readTuple(original), reply && readTuple(reply)]
  if (!original || !to || !from) return undefined
  return {
    protocolNumber: to.number,
    destination: to.destination,
    destinationPort: to.destinationPort,
    answerer: from.source,
    answererPort: from.sourcePort,
    original,
    id: attributes.get(entry.id),
  }
}

function readTuple(bytes: Buffer) {
  const parts = readAttributes(bytes)
  const [addresses, ports] = [parts.get(tuple.ip), parts.get(tuple.protocol)]
  if (!addresses || !ports) return undefined
  const byIp = readAttributes(addresses)
  const byPort = readAttributes(ports)
  const [source, destination] = [byIp.get(ip.source), byIp.get(ip.destination)]
  const [number, sourcePort, destinationPort] = [
    byPort.get(protocol.number),
    byPort.get(protocol.sourcePort),
    byPort.get(protocol.destinationPort),
  ]
  if (source?.length !== 4 || destination?.length !== 4 || number?.length !== 1) return undefined
  if (sourcePort?.length !== 2 || destinationPort?.length !== 2) return undefined
  return {
    source: ipText(source),
    destination: ipText(destination),
    number: number[0]!,
    sourcePort: sourcePort.readUInt16BE(0),
    destinationPort: destinationPort.readUInt16BE(0),
  }
}
