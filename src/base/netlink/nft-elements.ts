// Elements of nftables' maps and sets as bytes: keys of addresses, protocols and ports, values of chains or addresses.
// Every part of a concatenation is padded to four bytes; addresses and ports are big-endian, counters the machine's.

export type NftValue =
  | { to: 'chain'; chain: string }
  /** Such as an address and a port: endpointBytes. */
  | { to: 'data'; bytes: Buffer }
  | { to: 'nothing' }

/** `M`: which maps there are. */
export interface NftElement<M extends string = string> {
  map: M
  key: Buffer
  /** Sets of ranges: the last key of the range. */
  keyEnd?: Buffer
  value: NftValue
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export const protocolNumber: Record<Protocol, number> = { TCP: 6, UDP: 17, SCTP: 132 }

export function ipBytes(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number))
}

export const ipText = (bytes: Buffer): string => bytes.subarray(0, 4).join('.')

export function protocolBytes(protocol: Protocol): Buffer {
  return Buffer.from([protocolNumber[protocol], 0, 0, 0])
}

export function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255, 0, 0])
}

export function counterBytes(counter: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(counter)
  return buffer
}

export const endpointBytes = (ip: string, port: number): Buffer =>
  Buffer.concat([ipBytes(ip), portBytes(port)])

/** Same map, same key: only one of them can be installed. */
export function identityOf({ map, key, keyEnd }: NftElement): string {
  return `${map} ${key.toString('latin1')}${keyEnd ? ` ${keyEnd.toString('latin1')}` : ''}`
}

export function sameValue(a: NftValue, b: NftValue): boolean {
  if (a.to === 'chain') return b.to === 'chain' && a.chain === b.chain
  if (a.to === 'data') return b.to === 'data' && a.bytes.equals(b.bytes)
  return b.to === 'nothing'
}
