import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCidr, parseCidr } from '../../api/ip.ts'
import { freePodRange } from './free-pod-range.ts'

const cases: [title: string, cluster: string, bits: number, used: string[], expected: string | undefined][] =
  [
    ['the first', '10.244.0.0/16', 24, [], '10.244.0.0/24'],
    ['the next', '10.244.0.0/16', 24, ['10.244.0.0/24'], '10.244.1.0/24'],
    ['one that came back', '10.244.0.0/16', 24, ['10.244.0.0/24', '10.244.2.0/24'], '10.244.1.0/24'],
    ['none inside a wider one', '10.244.0.0/16', 24, ['10.244.0.0/22'], '10.244.4.0/24'],
    ['none around a narrower one', '10.244.0.0/16', 24, ['10.244.0.64/26'], '10.244.1.0/24'],
    ['none when all are taken', '10.1.0.0/23', 24, ['10.1.0.0/24', '10.1.1.0/24'], undefined],
    ['none when something wider has it all', '10.1.0.0/23', 24, ['10.0.0.0/8'], undefined],
    ['others do not count', '10.1.0.0/23', 24, ['10.2.0.0/16', 'fd00::/48'], '10.1.0.0/24'],
    ['of IPv6', 'fd00::/56', 64, ['fd00::/64'], 'fd00:0:0:1::/64'],
    ['the whole, where a Node gets all', '10.1.0.0/24', 24, [], '10.1.0.0/24'],
  ]

for (const [title, cluster, bits, used, expected] of cases)
  test(`a Node's range: ${title}`, () => {
    const found = freePodRange(
      parseCidr(cluster)!,
      bits,
      used.map(one => parseCidr(one)!),
    )
    assert.equal(found && formatCidr(found), expected)
  })
