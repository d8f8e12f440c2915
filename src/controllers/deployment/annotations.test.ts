import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import { newReplicaSetAnnotations, REVISION, REVISION_HISTORY } from './annotations.ts'
import { rolesOf } from './replica-set-roles.ts'

const template = (image: string) => ({
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image }] },
})
const deployment = {
  metadata: { name: 'd', annotations: { note: 'x' } },
  spec: { replicas: 1, strategy: { type: 'Recreate' }, template: template('new') },
} as unknown as Deployment
const replicaSet = (image: string, revision: string) =>
  ({
    metadata: {
      name: image,
      annotations: { [REVISION]: revision },
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { template: template(image) },
  }) as unknown as ReplicaSet

test('a revision that is larger than a number holds exactly is counted on', () => {
  const { revision } = rolesOf(deployment, [replicaSet('old', '3546343826724305832')])
  assert.equal(revision, 3546343826724305833n)
  assert.equal(newReplicaSetAnnotations(deployment, undefined, revision)[REVISION], '3546343826724305833')
})

test('a revision only grows, and the one before is remembered', () => {
  const before = replicaSet('new', '3')
  const grown = newReplicaSetAnnotations(deployment, before, 5n)
  assert.deepEqual([grown[REVISION], grown[REVISION_HISTORY], grown.note], ['5', '3', 'x'])
  assert.equal(newReplicaSetAnnotations(deployment, before, 2n)[REVISION], '3')
})

test('what is no revision counts as none, and is left as it is', () => {
  const odd = replicaSet('old', 'first')
  assert.equal(rolesOf(deployment, [odd]).revision, 1n)
  assert.equal(newReplicaSetAnnotations(deployment, replicaSet('new', 'first'), 4n)[REVISION], 'first')
})
