import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Quantity, QuantityError } from './quantity.ts'

const canonical: Record<string, string> = {
  '0': '0',
  '0m': '0',
  '1': '1',
  '100m': '100m',
  '1000m': '1',
  '1.5': '1500m',
  '0.1': '100m',
  '1.5Gi': '1536Mi',
  '1024Ki': '1Mi',
  '1Ei': '1Ei',
  '512': '512',
  '1e3': '1e3',
  '1E3': '1e3',
  '12e6': '12e6',
  '2000': '2k',
  '123450': '123450',
  '-1.5': '-1500m',
  '+5': '5',
  '.5': '500m',
  '5.': '5',
  '1n': '1n',
  '0.0000000001': '1n',
  '1u': '1u',
  '1M': '1M',
  '100Mi': '100Mi',
  '0.5Ki': '512',
  '1P': '1P',
}

for (const [text, expected] of Object.entries(canonical)) {
  test(`${text} is written ${expected}`, () => assert.equal(Quantity.parse(text).toString(), expected))
}

for (const text of ['', 'x', '1x', '--1', '1..0', '.', 'Ki', '1 Gi', '1KI', '0x10']) {
  test(`"${text}" is no quantity`, () => assert.throws(() => Quantity.parse(text), QuantityError))
}

test('fractions are rounded up when whole units are asked for', () => {
  assert.equal(Quantity.parse('1500m').value(), 2)
  assert.equal(Quantity.parse('1u').milliValue(), 1)
  assert.equal(Quantity.parse('1Gi').value(), 1_073_741_824)
})

test('amounts of different suffixes compare and add exactly', () => {
  assert.equal(Quantity.parse('1Gi').compare(Quantity.parse('1024Mi')), 0)
  assert.equal(Quantity.parse('0.3').compare(Quantity.parse('300m')), 0)
  assert.equal(Quantity.parse('100m').add(Quantity.parse('0.9')).toString(), '1')
  assert.equal(Quantity.parse('1Gi').sub(Quantity.parse('512Mi')).toString(), '512Mi')
})

test('what is written is read back as the same amount, and written the same again', () => {
  const suffix = fc.constantFrom('n', 'u', 'm', '', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'E-2')
  fc.assert(
    fc.property(fc.integer({ min: -1e6, max: 1e6 }), suffix, (amount, unit) => {
      const quantity = Quantity.parse(`${amount}${unit}`)
      const again = Quantity.parse(quantity.toString())
      return again.compare(quantity) === 0 && again.toString() === quantity.toString()
    }),
  )
})
