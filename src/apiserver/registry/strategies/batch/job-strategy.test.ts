import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeleteOptions } from '../../../../api/request.ts'
import { TestRegistry } from '../../test-registry.ts'

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
const job = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { template, ...spec } })
const JOBS = 'batch/v1/jobs'

async function warningsOf(call: ReturnType<TestRegistry['send']>): Promise<readonly string[]> {
  const response = await call
  return (response.kind === 'object' && response.warnings) || []
}

test('a Job is selected by its uid, and its Pods carry its name in both notations', async () => {
  const api = new TestRegistry()
  const { metadata, spec } = await api.create(JOBS, job('task'))
  const { uid } = metadata
  assert.deepEqual(spec!.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } })
  const { metadata: made } = spec!.template as unknown as { metadata: { labels: object } }
  assert.deepEqual(made.labels, {
    'job-name': 'task',
    'batch.kubernetes.io/job-name': 'task',
    'controller-uid': uid,
    'batch.kubernetes.io/controller-uid': uid,
  })
})

test('a name that makes no host name is warned of, for Jobs and CronJobs', async () => {
  const api = new TestRegistry()
  const cronJob = {
    metadata: { name: 'a.b' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } },
  }
  for (const [resource, body] of [
    [JOBS, job('a.b')],
    ['batch/v1/cronjobs', cronJob],
  ] as const) {
    const [warning] = await warningsOf(api.send('create', resource, { body }))
    assert.match(
      warning ?? '',
      /^metadata\.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: \[/,
    )
  }
})

const deletions: [string, DeleteOptions, boolean][] = [
  ['without a word on its Pods', {}, true],
  ['with its Pods', { propagationPolicy: 'Background' }, false],
  ['explicitly without them', { propagationPolicy: 'Orphan' }, false],
  ['in the old way', { orphanDependents: true }, false],
]

for (const [what, deleteOptions, warns] of deletions) {
  test(`a Job that is deleted ${what} is ${warns ? '' : 'not '}warned of`, async () => {
    const api = new TestRegistry()
    for (const verb of ['delete', 'deletecollection'] as const) {
      await api.create(JOBS, job(verb))
      const call = { ...(verb === 'delete' && { name: verb }), deleteOptions }
      const warnings = await warningsOf(api.send(verb, JOBS, call))
      assert.deepEqual(
        warnings,
        warns
          ? [
              'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
            ]
          : [],
      )
    }
  })
}
