import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OwnerReference } from '../../api/types/meta-v1.ts'
import { ownerChanges } from './owner-changes.ts'

const owner = (uid: string, blockOwnerDeletion?: boolean): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'Pod',
  name: uid,
  uid,
  ...(blockOwnerDeletion !== undefined && { blockOwnerDeletion }),
})

const cases: Record<
  string,
  { before: OwnerReference[]; after: OwnerReference[]; added?: string; removed?: string; unblocked?: string }
> = {
  'the same list changes nothing': { before: [owner('a', true)], after: [owner('a', true)] },
  'a new owner is added': { before: [owner('a')], after: [owner('a'), owner('b')], added: 'b' },
  'an owner that goes is removed, and is not unblocked when it was not blocked': {
    before: [owner('a'), owner('b')],
    after: [owner('b')],
    removed: 'a',
  },
  'an owner that goes is unblocked': {
    before: [owner('a', true)],
    after: [],
    removed: 'a',
    unblocked: 'a',
  },
  'an owner whose deletion is not blocked any more is unblocked': {
    before: [owner('a', true)],
    after: [owner('a', false)],
    unblocked: 'a',
  },
  'an owner whose deletion gets blocked is no change of the graph': {
    before: [owner('a', false)],
    after: [owner('a', true)],
  },
}

for (const [title, { before, after, added = '', removed = '', unblocked = '' }] of Object.entries(cases)) {
  test(title, () => {
    const changes = ownerChanges(before, after)
    const text = (owners: OwnerReference[]) => owners.map(({ uid }) => uid).join()
    assert.deepEqual(
      [text(changes.added), text(changes.removed), text(changes.unblocked)],
      [added, removed, unblocked],
    )
  })
}
