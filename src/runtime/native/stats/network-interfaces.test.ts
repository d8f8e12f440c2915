import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseInterfaces } from './network-interfaces.ts'

test('each interface has its bytes and errors, both ways', () => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
    '    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0',
    '  eth0: 1048      12    3    0    0     0          0         0     2096      24    5    0    0     0       0          0',
    '',
  ].join('\n')
  const [lo, eth0] = parseInterfaces(text)
  assert.equal(lo!.name, 'lo')
  assert.deepEqual(eth0, {
    name: 'eth0',
    rxBytes: { value: 1048 },
    rxErrors: { value: 3 },
    txBytes: { value: 2096 },
    txErrors: { value: 5 },
  })
})
