import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ControllerRevision } from '../../api/types/apps-v1.ts'
import type { PodTemplateSpec } from '../../api/types/core-v1.ts'
import {
  byRevision,
  canonicalJson,
  revisionHash,
  revisionName,
  templateOf,
  templatePatch,
} from './revision.ts'

/** From a cluster of 1.34, whose revision of it is called test-776999688b. */
const template = {
  spec: {
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: 'test',
        image: 'test',
        imagePullPolicy: 'Always',
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
  },
  metadata: { labels: { app: 'foo' }, annotations: { test: 'value' } },
} as unknown as PodTemplateSpec

test('a revision has the hash that a real cluster gave it', () => {
  assert.equal(revisionHash(templatePatch(template), 0), '776999688b')
})

test('a collision leads to another hash', () => {
  const hashes = [0, 1, 2].map(count => revisionHash(templatePatch(template), count))
  assert.equal(new Set(hashes).size, 3)
})

test('a template comes back out of its revision', () => {
  const revision = { data: templatePatch(template) } as ControllerRevision
  assert.deepEqual(templateOf(revision), template)
})

test('JSON is written as Go writes a map', () => {
  assert.equal(
    canonicalJson({ b: [{ d: 1, c: '<&>' }], a: undefined, A: null }),
    '{"A":null,"b":[{"c":"\\u003c\\u0026\\u003e","d":1}]}',
  )
})

test('a long name leaves room for the hash', () => {
  assert.equal(revisionName('x'.repeat(240), 'abc'), `${'x'.repeat(223)}-abc`)
})

test('revisions sort by number, then age, then name', () => {
  const make = (name: string, revision: number, creationTimestamp: string) =>
    ({ metadata: { name, creationTimestamp }, revision }) as ControllerRevision
  const revisions = [
    make('d', 2, '2026-01-01T00:00:00Z'),
    make('c', 1, '2026-01-01T00:00:01Z'),
    make('b', 1, '2026-01-01T00:00:00Z'),
    make('a', 1, '2026-01-01T00:00:00Z'),
  ]
  assert.deepEqual(
    revisions.sort(byRevision).map(({ metadata }) => metadata.name),
    ['a', 'b', 'c', 'd'],
  )
})
