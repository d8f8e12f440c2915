import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES, effectiveCapabilities } from './capabilities.ts'

const EVERYTHING = (1n << BigInt(ALL_CAPABILITIES.length)) - 1n
const withoutAdmin = EVERYTHING & ~(1n << 21n)

const cases: [
  title: string,
  add: string[],
  drop: string[],
  privileged: boolean,
  bounding: bigint,
  expected: string[],
][] = [
  ['without a wish it is the default set', [], [], false, EVERYTHING, DEFAULT_CAPABILITIES],
  [
    'what is dropped is gone',
    [],
    ['NET_RAW', 'cap_kill'],
    false,
    EVERYTHING,
    DEFAULT_CAPABILITIES.filter(name => name !== 'CAP_NET_RAW' && name !== 'CAP_KILL'),
  ],
  ['ALL drops everything', [], ['ALL'], false, EVERYTHING, []],
  [
    'what is added after ALL was dropped is all there is',
    ['NET_BIND_SERVICE'],
    ['ALL'],
    false,
    EVERYTHING,
    ['CAP_NET_BIND_SERVICE'],
  ],
  [
    'ALL adds everything that may be handed on',
    ['ALL'],
    [],
    false,
    withoutAdmin,
    ALL_CAPABILITIES.filter(name => name !== 'CAP_SYS_ADMIN'),
  ],
  [
    'ALL less one',
    ['ALL'],
    ['SYS_ADMIN'],
    false,
    EVERYTHING,
    ALL_CAPABILITIES.filter(name => name !== 'CAP_SYS_ADMIN'),
  ],
  ['privileged is everything, whatever is dropped', [], ['ALL'], true, EVERYTHING, ALL_CAPABILITIES],
  ['nobody hands on what he lacks', ['SYS_ADMIN'], ['ALL'], false, withoutAdmin, []],
]

for (const [title, add, drop, privileged, bounding, expected] of cases) {
  test(title, () => {
    assert.deepEqual(effectiveCapabilities(add, drop, privileged, bounding).sort(), [...expected].sort())
  })
}
