// Elements of the proxy's maps; see layout.ts for what each map is.
import {
  counterBytes,
  ipBytes,
  type NftElement,
  type Protocol,
  portBytes,
  protocolBytes,
} from '../base/netlink/nft-elements.ts'

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

export type Element = NftElement<MapName>

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
