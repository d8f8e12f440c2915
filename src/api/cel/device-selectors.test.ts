import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device } from '../types/resource-v1.ts'
import { deviceSelectorProblem, isTooComplex, matchesDevice } from './device-selectors.ts'

const DRIVER = 'dra.example.com'
const device: Device = {
  name: 'gpu-0',
  attributes: {
    model: { string: 'a100' },
    numa: { int: 1 },
    healthy: { bool: true },
    'dra.example.com/firmware': { version: '1.10.2' },
    'other.example.com/kind': { string: 'pci' },
  },
  capacity: { memory: { value: '40Gi' } },
}

const answers: Record<string, boolean> = {
  'device.driver == "dra.example.com"': true,
  'device.driver == "other"': false,
  'device.attributes["dra.example.com"].model == "a100"': true,
  'device.attributes["dra.example.com"].healthy && device.attributes["dra.example.com"].numa > 0': true,
  'device.attributes["other.example.com"].kind == "pci"': true,
  '"kind" in device.attributes["dra.example.com"]': false,
  '"nobody.example.com" in device.attributes': false,
  '"other.example.com" in device.attributes': true,
  'has(device.attributes["dra.example.com"].model)': true,
  'has(device.attributes["nobody.example.com"].model) || false': false,
  '!has(device.attributes["dra.example.com"].x) && has(device.attributes["other.example.com"].kind)': true,
  'cel.bind(dra, device.attributes["dra.example.com"], dra.numa == 1 && dra.model.startsWith("a"))': true,
  'device.capacity["dra.example.com"].memory.compareTo(quantity("32Gi")) >= 0': true,
  'device.capacity["dra.example.com"].memory.isLessThan(quantity("40Gi"))': false,
  'device.attributes["dra.example.com"].firmware.isGreaterThan(semver("1.9.0"))': true,
  'device.attributes["dra.example.com"].firmware.minor() == 10': true,
  'semver("v1.02", true).compareTo(semver("1.2.0")) == 0 && !isSemver("v1.2") && isSemver("v1.2", true)': true,
  'device.attributes["nobody.example.com"].?model.orValue("none") == "none"': true,
  'device.allowMultipleAllocations == false': true,
  'size(device.attributes) == 2': true,
}

for (const [expression, expected] of Object.entries(answers)) {
  test(`${expression} is ${expected}`, () => {
    assert.equal(matchesDevice(expression, DRIVER, device), expected)
    assert.equal(deviceSelectorProblem(expression), undefined)
  })
}

test('an attribute that a device lacks is an error', () => {
  assert.throws(
    () => matchesDevice('device.attributes["dra.example.com"].nope == 1', DRIVER, device),
    /no such key: nope/,
  )
})

const problems: Record<string, RegExp> = {
  'device.foo == 1': /^compilation failed: ERROR: <input>:1:7: undefined field 'foo'\n/,
  'nope == 1': /^compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope' \(in container ''\)/,
  'device.driver': /^must evaluate to bool or the unknown type, not string$/,
  'device.driver ==': /^compilation failed: ERROR: <input>:1:/,
}

for (const [expression, expected] of Object.entries(problems)) {
  test(`${expression} is refused`, () => assert.match(deviceSelectorProblem(expression) ?? '', expected))
}

test('loops in loops over everything that a device has are too much', () => {
  const loop = (depth: number): string =>
    depth === 0 ? 'true' : `device.attributes.all(k${depth}, ${loop(depth - 1)})`
  assert.deepEqual(
    [1, 2, 5].map(depth => isTooComplex(loop(depth))),
    [false, false, true],
  )
})
