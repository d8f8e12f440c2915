import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { OwnerReference } from '../../api/types/meta-v1.ts'
import { meta, pod, statefulSet } from '../testing/workload-objects.fixture.ts'
import { claimsOfOrdinal, isStale, ownersAreRight, rightOwners } from './claims.ts'

type When = 'Retain' | 'Delete'

const setWith = (whenDeleted: When, whenScaled: When) =>
  statefulSet({ replicas: 1, persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } })

const claim = (...ownerReferences: OwnerReference[]) =>
  ({ metadata: meta('data-web-0', { ownerReferences }) }) as PersistentVolumeClaim

const set: OwnerReference = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  name: 'web',
  uid: 'uid-web',
  controller: true,
  blockOwnerDeletion: true,
}
const ofPod = (name: string): OwnerReference => ({
  ...set,
  apiVersion: 'v1',
  kind: 'Pod',
  name,
  uid: `uid-${name}`,
})

const KEPT = pod('web-0')
const SCALED_AWAY = pod('web-1')

const owners: Record<string, { when: [deleted: When, scaled: When]; kept: string[]; scaledAway: string[] }> =
  {
    'retained in both cases': { when: ['Retain', 'Retain'], kept: [], scaledAway: [] },
    'deleted with the set': {
      when: ['Delete', 'Retain'],
      kept: ['StatefulSet'],
      scaledAway: ['StatefulSet'],
    },
    'deleted when scaled away': { when: ['Retain', 'Delete'], kept: [], scaledAway: ['Pod'] },
    'deleted in both cases': { when: ['Delete', 'Delete'], kept: ['StatefulSet'], scaledAway: ['Pod'] },
  }

for (const [title, { when, kept, scaledAway }] of Object.entries(owners)) {
  test(`the owner of a claim that is ${title}`, () => {
    const kinds = (of: typeof KEPT, present: PersistentVolumeClaim) =>
      rightOwners(setWith(...when), of, present).map(({ kind }) => kind)
    for (const present of [claim(), claim(set)]) {
      assert.deepEqual(kinds(KEPT, present), kept)
      assert.deepEqual(kinds(SCALED_AWAY, present), scaledAway)
    }
    const isRight = (...references: OwnerReference[]) =>
      ownersAreRight(setWith(...when), KEPT, claim(...references))
    assert.equal(isRight(), kept.length === 0)
    assert.equal(isRight(set), kept.length === 1)
  })
}

test('owners that are no controllers stay, and another controller’s claim is left alone', () => {
  const note = { apiVersion: 'v1', kind: 'ConfigMap', name: 'note', uid: 'n' }
  assert.deepEqual(rightOwners(setWith('Delete', 'Retain'), KEPT, claim(note)), [note, set])
  const foreign = { ...note, controller: true }
  assert.equal(ownersAreRight(setWith('Delete', 'Delete'), KEPT, claim(foreign)), true)
})

test('a claim of an earlier Pod of the name is stale', () => {
  const next = { metadata: { name: 'web-0' } }
  assert.equal(isStale(claim(ofPod('web-0')), next), true)
  assert.equal(isStale(claim(set), next), false)
  assert.equal(isStale(claim(ofPod('web-0')), pod('web-0')), false)
})

test('a claim has its template’s labels and the selector’s', () => {
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data', labels: { tier: 'db' } },
      spec: { resources: { requests: { storage: '1Gi' } } },
    },
  ] as never
  const [made] = claimsOfOrdinal(statefulSet({ volumeClaimTemplates }), 3)
  assert.deepEqual(made!.metadata, {
    name: 'data-web-3',
    namespace: 'default',
    labels: { tier: 'db', app: 'web' },
  })
})
