import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigMap } from '../../api/types/core-v1.ts'
import type { ObjectSource } from '../containers/object-source.ts'
import { SourceVersions } from './source-versions.ts'

const reference = { kind: 'ConfigMap', name: 'settings' } as const

function sourceOf(version: string | undefined): ObjectSource {
  const found =
    version === undefined ? undefined : { metadata: { name: 'settings', resourceVersion: version } }
  return {
    findConfigMap: async () => found as ConfigMap | undefined,
    findSecret: async () => undefined,
    services: async () => [],
  }
}

const cases: [string, read: string | undefined, seen: string | undefined, old: boolean][] = [
  ['what was read is seen', '9', '9', false],
  ['a newer one is seen', '9', '10', true],
  ['what is seen lags behind', '10', '9', false],
  ['it is gone', '9', undefined, true],
  ['it has come', undefined, '9', true],
  ['it was not there and is not', undefined, undefined, false],
]

for (const [title, read, seen, old] of cases)
  test(`sources of a volume: ${title}`, async () => {
    const versions = new SourceVersions()
    await versions.recorded(sourceOf(read)).findConfigMap('default', 'settings')
    assert.equal(versions.areOld, false)
    versions.seen(reference, seen)
    assert.equal(versions.areOld, old)
    await versions.recorded(sourceOf(seen)).findConfigMap('default', 'settings')
    assert.equal(versions.areOld, false)
  })

test('sources of a volume that was never made are old as soon as one is seen', () => {
  const versions = new SourceVersions()
  assert.equal(versions.areOld, false)
  versions.seen(reference, '9')
  assert.equal(versions.areOld, true)
})
