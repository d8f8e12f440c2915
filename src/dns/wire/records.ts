// Makes the records that the cluster's own zone holds.
import { parseIp } from '../../api/ip.ts'
import type { Name, ResourceRecord } from './message.ts'
import { CLASS, TYPE } from './record-types.ts'

const record = (name: Name, type: number, ttl: number, ...data: (Uint8Array | Name)[]): ResourceRecord => ({
  name,
  type,
  class: CLASS.in,
  ttl,
  data,
})

/** A for an IPv4 address, AAAA for an IPv6 one. */
export function addressRecord(name: Name, address: string, ttl: number): ResourceRecord {
  const bytes = addressBytes(address)
  return record(name, bytes.length === 4 ? TYPE.a : TYPE.aaaa, ttl, bytes)
}

export const cnameRecord = (name: Name, target: Name, ttl: number) => record(name, TYPE.cname, ttl, target)

export const ptrRecord = (name: Name, target: Name, ttl: number) => record(name, TYPE.ptr, ttl, target)

export const nsRecord = (name: Name, target: Name, ttl: number) => record(name, TYPE.ns, ttl, target)

export const txtRecord = (name: Name, text: string, ttl: number) =>
  record(name, TYPE.txt, ttl, characterString(text))

/** `weight` is from 0 to 65535; a client prefers the lowest priority, here always 0 (RFC 2782). */
export function srvRecord(
  name: Name,
  { weight, port, target }: { weight: number; port: number; target: Name },
  ttl: number,
): ResourceRecord {
  const numbers = Buffer.alloc(6)
  numbers.writeUInt16BE(weight, 2)
  numbers.writeUInt16BE(port, 4)
  return record(name, TYPE.srv, ttl, numbers, target)
}

/** What a server says that does not answer ANY (RFC 8482, 4.2). */
export const minimalAnyRecord = (name: Name, ttl: number) =>
  record(name, TYPE.hinfo, ttl, Buffer.concat([characterString('RFC8482'), characterString('')]))

export interface Soa {
  primary: Name
  mailbox: Name
  serial: number
  refresh: number
  retry: number
  expire: number
  /** How long "there is none" may be kept, in seconds (RFC 2308). */
  minimum: number
}

export function soaRecord(name: Name, soa: Soa, ttl: number): ResourceRecord {
  const numbers = Buffer.alloc(20)
  for (const [index, value] of [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].entries())
    numbers.writeUInt32BE(value >>> 0, 4 * index)
  return record(name, TYPE.soa, ttl, soa.primary, soa.mailbox, numbers)
}

/** Undefined when the record is no SOA. */
export function soaMinimum({ type, data }: ResourceRecord): number | undefined {
  const numbers = data[2]
  if (type !== TYPE.soa || !(numbers instanceof Uint8Array)) return undefined
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).readUInt32BE(16)
}

function addressBytes(address: string): Buffer {
  const ip = parseIp(address)
  if (!ip) throw new RangeError(`"${address}" is no IP address`)
  return Buffer.from(ip.value.toString(16).padStart(ip.family === 4 ? 8 : 32, '0'), 'hex')
}

function characterString(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}
