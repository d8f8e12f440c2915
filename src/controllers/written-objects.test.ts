import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectMeta } from '../api/types/meta-v1.ts'
import type { Lister } from '../client/lister.ts'
import { WrittenObjects } from './written-objects.ts'

type Thing = { metadata: ObjectMeta }

const thing = (resourceVersion: string) =>
  ({ metadata: { name: 'a', namespace: 'ns', resourceVersion } }) as Thing
const lister = (...things: Thing[]) =>
  ({
    findByKey: (key: string) => things.find(({ metadata }) => `ns/${metadata.name}` === key),
  }) as Lister<Thing>

test('a view is behind until it shows what was written, or something newer', () => {
  const written = new WrittenObjects<Thing>()
  assert.equal(written.isAhead('o', lister()), false)
  written.wrote('o', thing('7'))
  assert.equal(written.isAhead('o', lister()), true)
  assert.equal(written.isAhead('o', lister(thing('6'))), true)
  assert.equal(written.isAhead('o', lister(thing('10'))), false)
  assert.equal(written.isAhead('o', lister()), false)
})

test('a view is behind until what was removed is gone', () => {
  const written = new WrittenObjects<Thing>()
  written.removed('o', thing('7'))
  assert.equal(written.isAhead('o', lister(thing('7'))), true)
  assert.equal(written.isAhead('o', lister()), false)
})

test('what somebody removed after it was written is not waited for; an older removal does not count', () => {
  const written = new WrittenObjects<Thing>()
  written.wrote('o', thing('7'))
  written.disappeared('o', thing('6'))
  assert.equal(written.isAhead('o', lister()), true)
  written.disappeared('o', thing('8'))
  assert.equal(written.isAhead('o', lister()), false)
})

test('nothing is waited for without end', () => {
  const written = new WrittenObjects<Thing>()
  written.wrote('o', thing('7'))
  let checks = 0
  while (written.isAhead('o', lister())) checks++
  assert.ok(checks > 100 && checks < 1_000)
})
