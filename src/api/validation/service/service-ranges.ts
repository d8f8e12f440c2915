// IPAddress and ServiceCIDR. Upstream: pkg/apis/networking/validation ValidateIPAddress, ValidateServiceCIDR.
import { formatIp, parseIp } from '../../ip.ts'
import { isDns1123Label, isDns1123Subdomain, isPathSegmentName } from '../../names.ts'
import type { IPAddress, ServiceCIDR } from '../../types/networking-v1.ts'
import { isDualStack, validateCidr } from '../addresses.ts'
import { each, type FieldError, IMMUTABLE, invalidValue, required, same } from '../field-error.ts'

/** How an IPAddress may be called: an address in its canonical form. */
export function isIpAddressName(name: string): string[] {
  const ip = parseIp(name)
  if (!ip) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
  return formatIp(ip) === name ? [] : [`must be in canonical form (${JSON.stringify(formatIp(ip))})`]
}

export function validateIpAddress({ spec }: IPAddress): FieldError[] {
  const path = 'spec.parentRef'
  const parent = spec?.parentRef
  if (!parent) return [required(path)]
  const segment = (field: string, value: string | undefined) =>
    value ? each(`${path}.${field}`, value, isPathSegmentName) : [required(`${path}.${field}`)]
  return [
    ...(parent.group ? each(`${path}.group`, parent.group, isDns1123Subdomain) : []),
    ...segment('resource', parent.resource),
    ...segment('name', parent.name),
    ...(parent.namespace ? each(`${path}.namespace`, parent.namespace, isDns1123Label) : []),
  ]
}

export function validateIpAddressUpdate({ spec }: IPAddress, { spec: old }: IPAddress): FieldError[] {
  return same(spec?.parentRef, old?.parentRef) ? [] : [invalidValue('spec', spec?.parentRef, IMMUTABLE)]
}

export function validateServiceCidr({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? []
  const path = 'spec.cidrs'
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')]
  const errors: FieldError[] = []
  if (cidrs.length > 2) errors.push(invalidValue(path, cidrs, 'may only hold up to 2 values'))
  else if (cidrs.length === 2 && !isDualStack(cidrs))
    errors.push(
      invalidValue(
        path,
        cidrs,
        'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96',
      ),
    )
  return [...errors, ...cidrs.flatMap((cidr, index) => validateCidr(cidr, `${path}[${index}]`))]
}

export function validateServiceCidrUpdate({ spec }: ServiceCIDR, { spec: old }: ServiceCIDR): FieldError[] {
  return same(spec?.cidrs, old?.cidrs) ? [] : [invalidValue('spec.cidrs', spec?.cidrs, IMMUTABLE)]
}
