import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatMicroTime, formatTime, parseTime } from './time.ts'

test('moments are written with whole seconds, or with six digits', () => {
  assert.equal(formatTime(1_767_323_045_999), '2026-01-02T03:04:05Z')
  assert.equal(formatMicroTime(1_767_323_045_123.456), '2026-01-02T03:04:05.123456Z')
  assert.equal(formatMicroTime(0), '1970-01-01T00:00:00.000000Z')
})

test('zones and fractions are understood', () => {
  assert.equal(parseTime('2026-01-02T03:04:05Z'), 1_767_323_045_000)
  assert.equal(parseTime('2026-01-02T05:04:05+02:00'), 1_767_323_045_000)
  assert.equal(parseTime('2026-01-02T03:04:05.5Z'), 1_767_323_045_500)
})

for (const text of [
  '',
  '2026-01-02',
  '2026-13-02T03:04:05Z',
  '2026-02-30T03:04:05Z',
  '2026-01-02T24:04:05Z',
  '2026-01-02 03:04:05Z',
  '2026-01-02T03:04:05',
]) {
  test(`"${text}" is no moment`, () => assert.equal(parseTime(text), undefined))
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4e9 }),
      seconds => parseTime(formatTime(seconds * 1_000)) === seconds * 1_000,
    ),
  )
})
