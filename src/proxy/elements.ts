// Elements of the proxy's nft maps as bytes: keys of addresses, protocols and ports, values of chains or addresses.
// Every part of a concatenation is padded to four bytes; addresses and ports are big-endian, counters the machine's.

/** Which map or set; see layout.ts. */
export type MapName =
  | 'services'
  | 'endpoints'
  | 'node-ports'
  | 'node-endpoints'
  | 'cluster-ips'
  | 'refused'
  | 'refused-node-ports'
  | 'hidden'
  | 'hidden-node-ports'
  | 'keep'
  | 'keep-node-ports'
  | 'hairpin'
  | 'restricted'
  | 'sources'

export type Value =
  | { to: 'chain'; chain: string }
  | { to: 'endpoint'; ip: string; port: number }
  | { to: 'nothing' }

export interface Element {
  map: MapName
  key: Buffer
  /** Sets of ranges: the last key of the range. */
  keyEnd?: Buffer
  value: Value
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export const protocolNumber: Record<Protocol, number> = { TCP: 6, UDP: 17, SCTP: 132 }

export function ipBytes(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number))
}

function protocolBytes(protocol: Protocol): Buffer {
  return Buffer.from([protocolNumber[protocol], 0, 0, 0])
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255, 0, 0])
}

function counterBytes(counter: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(counter)
  return buffer
}

/** Where clients knock: an address (any of the node's when left out), a protocol and a port. */
export interface Frontend {
  ip?: string
  protocol: Protocol
  port: number
}

export function frontendKey({ ip, protocol, port }: Frontend): Buffer {
  const rest = [protocolBytes(protocol), portBytes(port)]
  return Buffer.concat(ip === undefined ? rest : [ipBytes(ip), ...rest])
}

export const numberedKey = (frontend: Frontend, counter: number): Buffer =>
  Buffer.concat([frontendKey(frontend), counterBytes(counter)])

export const pairKey = (from: string, to: string): Buffer => Buffer.concat([ipBytes(from), ipBytes(to)])

export const sourceKey = (frontend: Frontend, source: Buffer): Buffer =>
  Buffer.concat([frontendKey(frontend), source])

export const endpointBytes = (ip: string, port: number): Buffer =>
  Buffer.concat([ipBytes(ip), portBytes(port)])

/** Same map, same key: only one of them can be installed. */
export function identityOf({ map, key, keyEnd }: Element): string {
  return `${map} ${key.toString('latin1')}${keyEnd ? ` ${keyEnd.toString('latin1')}` : ''}`
}

export function sameValue(a: Value, b: Value): boolean {
  if (a.to === 'chain') return b.to === 'chain' && a.chain === b.chain
  if (a.to === 'endpoint') return b.to === 'endpoint' && a.ip === b.ip && a.port === b.port
  return b.to === 'nothing'
}
