// Addresses as names under in-addr.arpa and ip6.arpa, and back (RFC 1035 3.5, RFC 3596 2.5).
import { type Ip, parseIp } from '../../api/ip.ts'
import { labelsOf, type Name } from '../wire/message.ts'

/** The address that a lower-case reverse name stands for; undefined when it is none, or only part of one. */
export function addressOfReverseName(name: Name): Ip | undefined {
  if (name.endsWith('.in-addr.arpa')) {
    const labels = labelsOf(name.slice(0, -'.in-addr.arpa'.length))
    return labels.length === 4 ? parseIp(labels.toReversed().join('.')) : undefined
  }
  if (!name.endsWith('.ip6.arpa')) return undefined
  const digits = labelsOf(name.slice(0, -'.ip6.arpa'.length))
  if (digits.length !== 32 || !digits.every(digit => /^[0-9a-f]$/.test(digit))) return undefined
  return { family: 6, value: BigInt(`0x${digits.toReversed().join('')}`) }
}

/** One spelling per address, to compare by. */
export function canonicalAddress(address: string): string {
  const ip = parseIp(address)
  return ip ? addressKey(ip) : address
}

export const addressKey = ({ family, value }: Ip) => `${family}:${value.toString(16)}`

/** The zone of a range, cut at a whole label: '10.96.0.0/16' → '96.10.in-addr.arpa'. */
export function reverseZone(ip: Ip, bits: number): Name {
  const [step, digits, base, suffix] =
    ip.family === 4 ? [8, 4, 10, 'in-addr.arpa'] : ([4, 32, 16, 'ip6.arpa'] as const)
  const whole = Math.floor(bits / step)
  const mask = (1n << BigInt(step)) - 1n
  const labels = Array.from({ length: whole }, (_, index) =>
    ((ip.value >> BigInt(step * (digits - 1 - index))) & mask).toString(base),
  )
  return [...labels.toReversed(), suffix].join('.')
}
