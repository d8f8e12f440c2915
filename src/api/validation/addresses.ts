// Addresses and ranges in objects. Upstream: apimachinery pkg/util/validation/ip.go, core's ValidateEndpointIP.
import { formatIp, isIn, isMappedIpv4, isUnspecified, networkOf, parseCidr, parseIp } from '../ip.ts'
import { type FieldError, invalidValue } from './field-error.ts'

const NO_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const NO_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** Addresses that an object had before are let through. Upstream: IsValidIPForLegacyField, strict. */
export function validateIp(text: string, path: string, had: readonly string[] = []): FieldError[] {
  if (had.includes(text)) return []
  const ip = parseIp(text)
  if (ip) return isMappedIpv4(ip) ? [invalidValue(path, text, 'must not be an IPv4-mapped IPv6 address')] : []
  const plain = withoutLeadingZeros(text)
  return [invalidValue(path, text, plain !== text && parseIp(plain) ? 'must not have leading 0s' : NO_IP)]
}

const withoutLeadingZeros = (text: string) =>
  text.includes(':') ? text : text.replace(/(^|\.)0+(?=\d)/g, '$1')

/** The canonical form of the address, for fields that want it. Upstream: IsValidIP. */
export function validateCanonicalIp(text: string, path: string): FieldError[] {
  const errors = validateIp(text, path)
  const ip = parseIp(text)
  if (errors.length > 0 || !ip || formatIp(ip) === text) return errors
  return [invalidValue(path, text, `must be in canonical form (${JSON.stringify(formatIp(ip))})`)]
}

/** Upstream: IsValidCIDRForLegacyField, strict. */
export function validateCidr(text: string, path: string, had: readonly string[] = []): FieldError[] {
  if (had.includes(text)) return []
  const cidr = parseCidr(text)
  if (!cidr) {
    const [address = '', bits = ''] = text.split('/')
    const plain = `${withoutLeadingZeros(address)}/${bits.replace(/^0+(?=\d)/, '')}`
    const zeros = plain !== text && parseCidr(plain) !== undefined
    return [invalidValue(path, text, zeros ? 'must not have leading 0s in IP or prefix length' : NO_CIDR)]
  }
  const errors: FieldError[] = []
  if (isMappedIpv4(cidr.ip))
    errors.push(invalidValue(path, text, 'must not have an IPv4-mapped IPv6 address'))
  if (networkOf(cidr).value !== cidr.ip.value)
    errors.push(invalidValue(path, text, 'must not have bits set beyond the prefix length'))
  return errors
}

/** Addresses that traffic can be sent to. */
export function validateEndpointIp(text: string, path: string): FieldError[] {
  const ip = parseIp(text)
  if (!ip) return [invalidValue(path, text, 'must be a valid IP address')]
  const details: string[] = []
  if (isUnspecified(ip)) details.push(`may not be unspecified (${text})`)
  if (isIn('loopback', ip)) details.push('may not be in the loopback range (127.0.0.0/8, ::1/128)')
  if (isIn('linkLocal', ip)) details.push('may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  if (isIn('linkLocalMulticast', ip))
    details.push('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
  return details.map(detail => invalidValue(path, text, detail))
}

/** One address of each family at most. Upstream: netutils.IsDualStackIPStrings. */
export const isDualStack = (texts: readonly string[]): boolean =>
  new Set(texts.map(text => parseIp(text.split('/')[0]!)?.family)).size === 2 && texts.length === 2
