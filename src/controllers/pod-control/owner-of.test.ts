import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IndexedObjects } from '../../client/lister.ts'
import { ownerOf } from './owner-of.ts'

const stored = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
const owner = { metadata: { ...stored, name: 'web', namespace: 'a', uid: '1' } }
const lister = new IndexedObjects<typeof owner>()
lister.set(owner)

const reference = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'web', uid: '1', controller: true }

const cases: [string, { namespace: string; ownerReferences?: (typeof reference)[] }, boolean][] = [
  ['its controller', { namespace: 'a', ownerReferences: [reference] }, true],
  [
    'an owner that does not control it',
    { namespace: 'a', ownerReferences: [{ ...reference, controller: false }] },
    false,
  ],
  [
    'an earlier object of the same name',
    { namespace: 'a', ownerReferences: [{ ...reference, uid: '0' }] },
    false,
  ],
  ['another kind', { namespace: 'a', ownerReferences: [{ ...reference, kind: 'ReplicaSet' }] }, false],
  ['the same name in another namespace', { namespace: 'b', ownerReferences: [reference] }, false],
  ['nobody', { namespace: 'a' }, false],
]

for (const [what, metadata, found] of cases) {
  test(`the owner of an object: ${what} ${found ? 'is found' : 'is none'}`, () => {
    const object = { metadata: { ...stored, name: 'web-x', uid: '2', ...metadata } }
    assert.equal(ownerOf(lister, 'DaemonSet', object), found ? owner : undefined)
  })
}
