import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import type { DeleteOptions } from '../../api/request.ts'
import { replicaSets } from '../../api/resources.ts'
import { StatusError } from '../../api/status-error.ts'
import { decideDelete } from './before-delete.ts'
import { JobStrategy } from './strategies/batch/job-strategy.ts'
import { PodStrategy } from './strategies/core/pod-strategy.ts'
import { DefaultStrategy } from './strategies/default-strategy.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const pods = { group: '', resource: 'pods' }

type Metadata = Partial<KubeObject['metadata']>

function podWith(metadata: Metadata = {}, spec: object = {}, phase = 'Running'): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      uid: 'u',
      resourceVersion: '5',
      generation: 1,
      ...metadata,
    } as KubeObject['metadata'],
    spec: { nodeName: 'n', terminationGracePeriodSeconds: 30, ...spec },
    status: { phase },
  }
}

interface Case {
  pod: KubeObject
  options?: DeleteOptions
  expected: {
    do: string
    grace?: number | undefined
    at?: string
    generation?: number
    finalizers?: string[]
  }
}

const terminating = {
  deletionTimestamp: '2026-01-01T00:00:20Z',
  deletionGracePeriodSeconds: 30,
  generation: 2,
}

const cases: Record<string, Case> = {
  'a running pod gets the grace of its spec': {
    pod: podWith(),
    expected: { do: 'mark', grace: 30, at: '2026-01-01T00:00:30Z', generation: 2 },
  },
  'the request’s grace counts more than the spec’s': {
    pod: podWith(),
    options: { gracePeriodSeconds: 5 },
    expected: { do: 'mark', grace: 5, at: '2026-01-01T00:00:05Z', generation: 2 },
  },
  'a negative grace means one second': {
    pod: podWith(),
    options: { gracePeriodSeconds: -3 },
    expected: { do: 'mark', grace: 1, at: '2026-01-01T00:00:01Z', generation: 2 },
  },
  'no grace removes at once': {
    pod: podWith(),
    options: { gracePeriodSeconds: 0 },
    expected: { do: 'remove', grace: 0, at: '2026-01-01T00:00:00Z', generation: 2 },
  },
  'a pod without a node needs no grace': {
    pod: podWith({}, { nodeName: undefined }),
    expected: { do: 'remove', grace: 0, at: '2026-01-01T00:00:00Z', generation: 2 },
  },
  'a finished pod needs no grace': {
    pod: podWith({}, {}, 'Succeeded'),
    options: { gracePeriodSeconds: 60 },
    expected: { do: 'remove', grace: 0, at: '2026-01-01T00:00:00Z', generation: 2 },
  },
  'a second delete with as much grace changes nothing': {
    pod: podWith(terminating),
    options: { gracePeriodSeconds: 30 },
    expected: { do: 'nothing' },
  },
  'a second delete without a wish changes nothing': {
    pod: podWith(terminating),
    expected: { do: 'nothing' },
  },
  'a second delete may shorten the grace': {
    pod: podWith(terminating),
    options: { gracePeriodSeconds: 15 },
    expected: { do: 'mark', grace: 15, at: '2026-01-01T00:00:05Z', generation: 2 },
  },
  'a shorter grace that is over already leaves one second': {
    pod: podWith(terminating),
    options: { gracePeriodSeconds: 2 },
    expected: { do: 'mark', grace: 1, at: '2026-01-01T00:00:01Z', generation: 2 },
  },
  'the kubelet’s last delete removes without another write': {
    pod: podWith(terminating),
    options: { gracePeriodSeconds: 0 },
    expected: { do: 'remove' },
  },
  'finalizers hold a pod whose grace is zero': {
    pod: podWith({ finalizers: ['a/b'] }),
    options: { gracePeriodSeconds: 0 },
    expected: { do: 'mark', grace: 0, at: '2026-01-01T00:00:00Z', generation: 2, finalizers: ['a/b'] },
  },
  'the foreground policy leaves its finalizer': {
    pod: podWith(),
    options: { propagationPolicy: 'Foreground' },
    expected: {
      do: 'mark',
      grace: 30,
      at: '2026-01-01T00:00:30Z',
      generation: 2,
      finalizers: ['foregroundDeletion'],
    },
  },
}

for (const [title, { pod, options = {}, expected }] of Object.entries(cases)) {
  test(`delete of a pod: ${title}`, () => {
    const step = decideDelete(new PodStrategy(), pod, options, pods, NOW)
    const written = step.do === 'nothing' ? undefined : step.object?.metadata
    assert.deepEqual(
      {
        do: step.do,
        ...(written && {
          grace: written.deletionGracePeriodSeconds,
          at: written.deletionTimestamp,
          generation: written.generation,
          ...(written.finalizers && { finalizers: written.finalizers }),
        }),
      },
      expected,
    )
  })
}

function replicaSet(finalizers?: string[]): KubeObject {
  const metadata = {
    name: 'r',
    uid: 'u',
    resourceVersion: '5',
    generation: 1,
    ...(finalizers && { finalizers }),
  }
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: metadata as KubeObject['metadata'], spec: {} }
}

const policies: Record<string, { present?: string[]; options: DeleteOptions; kept: string[] | undefined }> = {
  'nothing said: removed': { options: {}, kept: undefined },
  'Orphan leaves the orphan finalizer': { options: { propagationPolicy: 'Orphan' }, kept: ['orphan'] },
  'orphanDependents means the same': { options: { orphanDependents: true }, kept: ['orphan'] },
  'Foreground leaves its own': { options: { propagationPolicy: 'Foreground' }, kept: ['foregroundDeletion'] },
  'Background takes an old wish back': {
    present: ['orphan'],
    options: { propagationPolicy: 'Background' },
    kept: undefined,
  },
  'a finalizer that is there is a wish': { present: ['orphan'], options: {}, kept: ['orphan'] },
  'others stay': {
    present: ['x/y'],
    options: { propagationPolicy: 'Foreground' },
    kept: ['x/y', 'foregroundDeletion'],
  },
}

for (const [title, { present, options, kept }] of Object.entries(policies)) {
  test(`propagation: ${title}`, () => {
    const what = { group: 'apps', resource: 'replicasets' }
    const step = decideDelete(new DefaultStrategy(replicaSets), replicaSet(present), options, what, NOW)
    if (kept === undefined) {
      assert.deepEqual(step, { do: 'remove' })
      return
    }
    assert.equal(step.do, 'mark')
    const { metadata } = (step as { object: KubeObject }).object
    assert.deepEqual(metadata.finalizers, kept)
    assert.equal(metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
    assert.equal(metadata.deletionGracePeriodSeconds, 0)
    assert.equal(metadata.generation, 2)
  })
}

test('jobs orphan their pods unless told otherwise', () => {
  const job = { ...replicaSet(), apiVersion: 'batch/v1', kind: 'Job' }
  const step = decideDelete(new JobStrategy(), job, {}, { group: 'batch', resource: 'jobs' }, NOW)
  assert.deepEqual((step as { object: KubeObject }).object.metadata.finalizers, ['orphan'])
})

const refusals: [options: DeleteOptions, message: string][] = [
  [
    { preconditions: { uid: 'other' } },
    'Operation cannot be fulfilled on pods "p": the UID in the precondition (other) does not match the UID in record (u). The object might have been deleted and then recreated',
  ],
  [
    { preconditions: { resourceVersion: '4' } },
    'Operation cannot be fulfilled on pods "p": the ResourceVersion in the precondition (4) does not match the ResourceVersion in record (5). The object might have been modified',
  ],
  [
    { orphanDependents: true, propagationPolicy: 'Orphan' },
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  ],
]

for (const [options, message] of refusals) {
  test(`delete options are refused: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => decideDelete(new PodStrategy(), podWith(), options, pods, NOW),
      (error: unknown) => error instanceof StatusError && error.message === message,
    )
  })
}
