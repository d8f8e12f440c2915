// IP addresses and CIDR ranges: read, compare, write. Follows Go's netip in what it accepts and how it writes.

export interface Ip {
  family: 4 | 6
  /** The address as a number: 32 or 128 bits. */
  value: bigint
}

export interface Cidr {
  ip: Ip
  /** Length of the prefix. */
  bits: number
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/
const LENGTH = /^(?:0|[1-9]\d{0,2})$/

/** Undefined when the text is no address. Leading zeros and zones are not accepted. */
export function parseIp(text: string): Ip | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): Ip | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!OCTET.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return { family: 4, value }
}

function parseIpv6(text: string): Ip | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = [groupsOf(halves[0]!), groupsOf(halves[1] ?? '')]
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail]
  return { family: 6, value: groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n) }
}

/** 16-bit groups of one side of '::'; a dotted quad at the end counts as two. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const quad = parseIpv4(part)
      if (!quad) return undefined
      groups.push(Number(quad.value >> 16n), Number(quad.value & 0xffffn))
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

const MAPPED = 0xffffn

/** Whether an IPv6 address stands for an IPv4 one: ::ffff:10.0.0.1. */
export const isMappedIpv4 = ({ family, value }: Ip): boolean => family === 6 && value >> 32n === MAPPED

/** The canonical form: lower case, the longest run of zero groups (the first of equals) as '::'. RFC 5952. */
export function formatIp(ip: Ip): string {
  if (ip.family === 4) return dotted(ip.value)
  if (isMappedIpv4(ip)) return `::ffff:${dotted(ip.value & 0xffff_ffffn)}`
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((ip.value >> BigInt(16 * (7 - index))) & 0xffffn),
  )
  const { start, length } = longestZeros(groups)
  const hex = (list: number[]) => list.map(group => group.toString(16)).join(':')
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

const dotted = (value: bigint) => [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.')

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let length = 0
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > best.length) best = { start: index - length + 1, length }
  }
  return best
}

/** Undefined when the text is no range. Bits beyond the prefix may be set. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.lastIndexOf('/')
  if (slash < 0) return undefined
  const ip = parseIp(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (!ip || !LENGTH.test(length) || Number(length) > widthOf(ip)) return undefined
  return { ip, bits: Number(length) }
}

export const widthOf = ({ family }: Ip): number => (family === 4 ? 32 : 128)

/** The range's first address. */
export function networkOf({ ip, bits }: Cidr): Ip {
  const rest = BigInt(widthOf(ip) - bits)
  return { family: ip.family, value: (ip.value >> rest) << rest }
}

export const formatCidr = (cidr: Cidr): string => `${formatIp(networkOf(cidr))}/${cidr.bits}`

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  const rest = BigInt(widthOf(cidr.ip) - cidr.bits)
  return ip.family === cidr.ip.family && ip.value >> rest === cidr.ip.value >> rest
}

const RANGES = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linkLocal: ['169.254.0.0/16', 'fe80::/10'],
  linkLocalMulticast: ['224.0.0.0/24', 'ff02::/16'],
} as const

const parsedRanges = Object.fromEntries(
  Object.entries(RANGES).map(([name, texts]) => [name, texts.map(text => parseCidr(text)!)]),
) as Record<keyof typeof RANGES, Cidr[]>

/** Mapped IPv4 addresses count as the IPv4 address, as Go's net.IP does. */
export function isIn(range: keyof typeof RANGES, ip: Ip): boolean {
  const plain: Ip = isMappedIpv4(ip) ? { family: 4, value: ip.value & 0xffff_ffffn } : ip
  return parsedRanges[range].some(cidr => cidrContains(cidr, plain))
}

export const isUnspecified = ({ value }: Ip): boolean => value === 0n
