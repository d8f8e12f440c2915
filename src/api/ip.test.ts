import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cidrContains, formatCidr, formatIp, isIn, isMappedIpv4, parseCidr, parseIp } from './ip.ts'

const canonical: Record<string, string> = {
  '10.0.0.1': '10.0.0.1',
  '255.255.255.255': '255.255.255.255',
  '::': '::',
  '::1': '::1',
  '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
  '2001:db8::0:1:0:0:1': '2001:db8::1:0:0:1',
  '1:0:0:2:0:0:0:3': '1:0:0:2::3',
  '1:2:3:4:5:6:7:0': '1:2:3:4:5:6:7:0',
  '::ffff:10.1.2.3': '::ffff:10.1.2.3',
  '64:ff9b::1.2.3.4': '64:ff9b::102:304',
}

for (const [text, expected] of Object.entries(canonical)) {
  test(`${text} is written ${expected}`, () => assert.equal(formatIp(parseIp(text)!), expected))
}

for (const text of [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '010.0.0.1',
  '256.0.0.1',
  '1::2::3',
  ':1',
  '1:2:3:4:5:6:7:8:9',
  'g::',
  '::1%eth0',
]) {
  test(`"${text}" is no address`, () => assert.equal(parseIp(text), undefined))
}

test('any IPv6 address is read back as it was', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), value => {
      return parseIp(formatIp({ family: 6, value }))?.value === value
    }),
  )
})

test('ranges hold their own addresses and no others', () => {
  const range = parseCidr('10.244.3.7/16')!
  assert.equal(formatCidr(range), '10.244.0.0/16')
  assert.equal(cidrContains(range, parseIp('10.244.255.255')!), true)
  assert.equal(cidrContains(range, parseIp('10.245.0.0')!), false)
  assert.equal(cidrContains(range, parseIp('::ffff:10.244.0.1')!), false)
  assert.equal(parseCidr('10.0.0.0/33'), undefined)
  assert.equal(parseCidr('10.0.0.0/08'), undefined)
})

test('special addresses are told', () => {
  assert.equal(isIn('loopback', parseIp('127.3.2.1')!), true)
  assert.equal(isIn('linkLocal', parseIp('fe80::1')!), true)
  assert.equal(isIn('loopback', parseIp('::ffff:127.0.0.1')!), true)
  assert.equal(isMappedIpv4(parseIp('::ffff:1.2.3.4')!), true)
})
