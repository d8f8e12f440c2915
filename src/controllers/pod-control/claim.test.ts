import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OwnerReference } from '../../api/types/meta-v1.ts'
import { deleted, pod, replicaSet } from '../testing/workload-objects.fixture.ts'
import { controllerReference, decideClaims } from './claim.ts'

const owner = replicaSet('web', 1)
const ours = controllerReference(owner)
const theirs: OwnerReference = { ...ours, name: 'other', uid: 'uid-other' }

const labels = (app: string, ...ownerReferences: OwnerReference[]) => ({
  metadata: { labels: { app }, ...(ownerReferences.length > 0 && { ownerReferences }) },
})
const selects = (present: Readonly<Record<string, string>> | undefined) => present?.app === 'web'

const cases: Record<string, { of?: typeof owner; pod: Parameters<typeof pod>[1]; becomes: string[] }> = {
  'its own that it selects is kept': { pod: labels('web', ours), becomes: ['owned'] },
  'its own that it no longer selects is released': { pod: labels('other', ours), becomes: ['release'] },
  'nobody’s that it selects is adopted': { pod: labels('web'), becomes: ['adopt'] },
  'nobody’s that it does not select is left': { pod: labels('other'), becomes: [] },
  'another’s is left': { pod: labels('web', theirs), becomes: [] },
  'an owner that is no controller is no hindrance': {
    pod: labels('web', { ...theirs, controller: false }),
    becomes: ['adopt'],
  },
  'one that goes is not adopted': {
    pod: { metadata: { ...labels('web').metadata, ...deleted } },
    becomes: [],
  },
  'an owner that goes adopts nothing': {
    of: replicaSet('web', 1, 1, deleted),
    pod: labels('web'),
    becomes: [],
  },
  'an owner that goes releases nothing': {
    of: replicaSet('web', 1, 1, deleted),
    pod: labels('other', ours),
    becomes: [],
  },
  'an owner that goes keeps what it selects': {
    of: replicaSet('web', 1, 1, deleted),
    pod: labels('web', ours),
    becomes: ['owned'],
  },
}

for (const [title, { of = owner, pod: edits, becomes }] of Object.entries(cases)) {
  test(title, () => {
    const claims = decideClaims(of, [pod('p', edits)], selects)
    const found = Object.entries(claims).flatMap(([what, objects]) => objects.map(() => what))
    assert.deepEqual(found, becomes)
  })
}
