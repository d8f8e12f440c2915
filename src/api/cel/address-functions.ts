// IP addresses and ranges. Upstream: apiserver cel/library/{ip,cidr}.go.

import { BlockList, isIP } from 'node:net'
import type { Environment } from '@marcbachmann/cel-js'

class CelIp {
  readonly text: string

  constructor(text: string) {
    if (isIP(text) === 0)
      throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`)
    this.text = text
  }
}

class CelCidr {
  readonly address: string
  readonly length: number

  constructor(text: string) {
    if (!isCidr(text))
      throw new Error(`network address parse error during conversion from string: ${JSON.stringify(text)}`)
    const [address = '', length = ''] = text.split('/')
    this.address = address
    this.length = Number(length)
  }

  contains(ip: string): boolean {
    const list = new BlockList()
    list.addSubnet(this.address, this.length, familyOf(this.address))
    return isIP(ip) === isIP(this.address) && list.check(ip, familyOf(ip))
  }
}

const familyOf = (ip: string) => (isIP(ip) === 6 ? 'ipv6' : 'ipv4')

function isCidr(text: string): boolean {
  const [address = '', length = '', more] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return more === undefined && isIP(address) !== 0 && /^\d+$/.test(length) && Number(length) <= bits
}

export function registerAddressFunctions(environment: Environment): void {
  const [ip, cidr] = ['net.IP', 'net.CIDR']
  environment
    .registerType(ip, CelIp)
    .registerType(cidr, CelCidr)
    .registerFunction('isIP(string): bool', (text: string) => isIP(text) !== 0)
    .registerFunction(`ip(string): ${ip}`, (text: string) => new CelIp(text))
    .registerFunction(`${ip}.family(): int`, ({ text }: CelIp) => BigInt(isIP(text)))
    .registerFunction(
      `${ip}.isLoopback(): bool`,
      ({ text }: CelIp) => text.startsWith('127.') || text === '::1',
    )
    .registerFunction(`${ip}.isUnspecified(): bool`, ({ text }: CelIp) => text === '0.0.0.0' || text === '::')
    .registerFunction('isCIDR(string): bool', isCidr)
    .registerFunction(`cidr(string): ${cidr}`, (text: string) => new CelCidr(text))
    .registerFunction(`${cidr}.containsIP(string): bool`, (range: CelCidr, text: string) =>
      range.contains(text),
    )
    .registerFunction(`${cidr}.containsIP(${ip}): bool`, (range: CelCidr, { text }: CelIp) =>
      range.contains(text),
    )
    .registerFunction(
      `${cidr}.containsCIDR(string): bool`,
      (range: CelCidr, text: string) =>
        isCidr(text) && Number(text.split('/')[1]) >= range.length && range.contains(text.split('/')[0]!),
    )
    .registerFunction(`${cidr}.ip(): ${ip}`, ({ address }: CelCidr) => new CelIp(address))
    .registerFunction(`${cidr}.prefixLength(): int`, ({ length }: CelCidr) => BigInt(length))
}
