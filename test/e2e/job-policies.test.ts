// How Jobs end: policies for failures and for success, limits per index, evictions, replacement, other controllers.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Job, JobSpec } from '../../src/api/types/batch-v1.ts'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { ApiRequests } from './api-requests.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let api: ApiRequests

before(async () => {
  cluster = await TestCluster.up()
  api = await ApiRequests.of(cluster)
})

after(async () => {
  api?.close()
  await cluster?.[Symbol.asyncDispose]()
})

const JOBS = '/apis/batch/v1/namespaces/default/jobs'
const PODS = '/api/v1/namespaces/default/pods'
const INDEX = 'batch.kubernetes.io/job-completion-index'

/** The script finds the folder /data, which all pods share; it is not there before the first. */
function create(name: string, script: string, spec: Partial<JobSpec>, graceSeconds = 0): Promise<Job> {
  return api.post<Job>(JOBS, {
    metadata: { name },
    spec: {
      ...spec,
      template: {
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: graceSeconds,
          containers: [
            {
              name: 'main',
              image: 'busybox:1.30',
              command: ['sh', '-c', script],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
          volumes: [{ name: 'data', hostPath: { path: `${cluster.dataDir}/${name}` } }],
        },
      },
    },
  })
}

const job = (name: string) => api.get<Job>(`${JOBS}/${name}`)
const podsOf = async (name: string) =>
  (await api.get<{ items: Pod[] }>(`${PODS}?labelSelector=batch.kubernetes.io/job-name=${name}`)).items

function reached(name: string, type: string, reason: string): Promise<unknown> {
  return eventually(`${name} has ${type} because of ${reason}`, async () =>
    (await job(name)).status.conditions?.some(
      condition => condition.type === type && condition.status === 'True' && condition.reason === reason,
    ),
  )
}

/** Both the condition that announces the end, and the end. */
async function ends(name: string, type: 'Complete' | 'Failed', reason: string): Promise<Job> {
  await reached(name, type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', reason)
  await reached(name, type, reason)
  return job(name)
}

const FAIL_ODD = 'exit $((JOB_COMPLETION_INDEX % 2))'
const failIndexes = (limit: number, more: Partial<JobSpec> = {}): Partial<JobSpec> => ({
  completionMode: 'Indexed',
  parallelism: 2,
  completions: 4,
  backoffLimitPerIndex: limit,
  ...more,
})
type Rule = NonNullable<JobSpec['podFailurePolicy']>['rules'][number]
const rule = (action: Rule['action'], ...values: number[]): Rule => ({
  action,
  onExitCodes: { operator: 'In', values },
})

describe('Jobs', { concurrency: true }, () => {
  test('one exit code fails the whole Job at once', async () => {
    await create('early', 'mkdir /data/once 2>/dev/null && exit 1; exit 0', {
      parallelism: 2,
      completions: 4,
      podFailurePolicy: { rules: [rule('FailJob', 1)] },
    })
    const { status } = await ends('early', 'Failed', 'PodFailurePolicy')
    assert.match(
      status.conditions?.[0]?.message ?? '',
      /^Container main for pod default\/early-\w+ failed with exit code 1 matching FailJob rule at index 0$/,
    )
  })

  test('failures that a policy ignores are not counted', async () => {
    await create('ignored', 'mkdir /data/once 2>/dev/null && exit 1; exit 0', {
      parallelism: 2,
      completions: 4,
      backoffLimit: 0,
      podFailurePolicy: { rules: [rule('Ignore', 1)] },
    })
    const { status } = await ends('ignored', 'Complete', 'CompletionsReached')
    assert.deepEqual([status.succeeded, status.failed ?? 0], [4, 0])
  })

  const policies: [string, Rule[]][] = [
    ['exit code', [rule('Ignore', 1, 137)]],
    [
      'condition',
      [
        rule('Ignore', 1),
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ],
    ],
  ]
  for (const [what, rules] of policies) {
    test(`an evicted pod does not count when a policy ignores its ${what}`, async () => {
      const name = `evicted-${what.replace(' ', '-')}`
      // The first pod of index 0 leaves a mark and stays, its replacement ends well.
      await create(
        name,
        'mkdir /data/$JOB_COMPLETION_INDEX 2>/dev/null || exit 0; test $JOB_COMPLETION_INDEX = 1 || sleep 1000',
        {
          completionMode: 'Indexed',
          parallelism: 2,
          completions: 2,
          backoffLimit: 0,
          podFailurePolicy: { rules },
        },
      )
      const pod = await eventually('the first runs', async () =>
        (await podsOf(name)).find(
          ({ metadata, status }) => metadata.annotations?.[INDEX] === '0' && status.phase === 'Running',
        ),
      )
      const path = `${PODS}/${pod.metadata.name}`
      await api.post(`${path}/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: pod.metadata.name, namespace: 'default' },
      })
      await eventually('it is gone', async () => (await api.send('GET', path)).code === 404)
      const { status } = await ends(name, 'Complete', 'CompletionsReached')
      assert.deepEqual([status.succeeded, status.failed ?? 0, status.completedIndexes], [2, 0, '0,1'])
    })
  }

  test('every index gets its tries, and those that fail do not hold up the others', async () => {
    await create('per-index', FAIL_ODD, failIndexes(1))
    const { status, spec } = await ends('per-index', 'Failed', 'FailedIndexes')
    assert.equal(spec.backoffLimit, 2147483647)
    assert.deepEqual(
      [status.failedIndexes, status.completedIndexes, status.failed, status.succeeded],
      ['1,3', '0,2', 4, 2],
    )
    const counts = (await podsOf('per-index'))
      .filter(({ metadata }) => metadata.annotations?.[INDEX] === '1')
      .map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'])
    assert.deepEqual(counts.sort(), ['0', '1'])
  })

  test('too many failed indexes end the Job', async () => {
    await create('too-many', 'exit 1', failIndexes(0, { parallelism: 1, maxFailedIndexes: 0 }))
    const { status } = await ends('too-many', 'Failed', 'MaxFailedIndexesExceeded')
    assert.deepEqual([status.failedIndexes, status.failed], ['0', 1])
  })

  test('a policy fails an index without a second try', async () => {
    await create(
      'fail-index',
      FAIL_ODD,
      failIndexes(1, { completions: 2, podFailurePolicy: { rules: [rule('FailIndex', 1)] } }),
    )
    const { status } = await ends('fail-index', 'Failed', 'FailedIndexes')
    assert.deepEqual(
      [status.failedIndexes, status.completedIndexes, status.failed, status.succeeded],
      ['1', '0', 1, 1],
    )
  })

  test('a Job succeeds by all its indexes, by some of them, or by a number of them', async () => {
    const first = 'test $JOB_COMPLETION_INDEX = 0 || sleep 1000'
    const indexed = { completionMode: 'Indexed', parallelism: 2, completions: 2 } as const
    await create('all', 'exit 0', { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-1' }] } })
    const all = await ends('all', 'Complete', 'SuccessPolicy')
    assert.deepEqual([all.status.completedIndexes, all.status.succeeded], ['0,1', 2])
    for (const [name, successRule] of [
      ['some', { succeededIndexes: '0' }],
      ['number', { succeededCount: 1 }],
    ] as const) {
      await create(name, first, { ...indexed, successPolicy: { rules: [successRule] } })
      const { status } = await ends(name, 'Complete', 'SuccessPolicy')
      assert.deepEqual(
        [status.completedIndexes, status.succeeded, status.ready, status.active ?? 0],
        ['0', 1, 0, 0],
      )
      assert.match(status.conditions?.[0]?.message ?? '', /^Matched rules at index 0$/)
    }
  })

  test('a pod is replaced only once it has failed, when the Job asks for that', async () => {
    const script = 'trap "sleep 1; exit 143" TERM; while true; do sleep 0.1; done'
    await create(
      'replaced',
      script,
      { parallelism: 1, completions: 1, backoffLimit: 1, podReplacementPolicy: 'Failed' },
      30,
    )
    const [pod] = await eventually('it runs', async () => {
      const pods = await podsOf('replaced')
      return pods[0]?.status.phase === 'Running' && pods
    })
    await api.delete(`${PODS}/${pod!.metadata.name}`, { gracePeriodSeconds: 30 })
    const counts = async () => {
      const { active = 0, failed = 0, terminating } = (await job('replaced')).status
      return [active, failed, terminating].join(' ')
    }
    await eventually('it is terminating and not replaced', async () => (await counts()) === '0 0 1')
    await eventually('it is replaced', async () => (await counts()) === '1 1 0')
    await api.delete(`${JOBS}/replaced`, { propagationPolicy: 'Background' })
  })

  test('the pods of a Job that is suspended go, and ready pods are told', async () => {
    const ready = (count: number) =>
      eventually(`${count} are ready`, async () => (await job('ready')).status.ready === count)
    const suspend = (value: boolean) => api.patch(`${JOBS}/ready`, { spec: { suspend: value } })
    await create('ready', 'sleep 1000', { suspend: true, parallelism: 2, completions: 4 })
    await ready(0)
    await reached('ready', 'Suspended', 'JobSuspended')
    assert.equal((await podsOf('ready')).length, 0)
    await suspend(false)
    await ready(2)
    await suspend(true)
    await ready(0)
    await eventually('all are gone', async () => (await podsOf('ready')).length === 0)
  })

  test('an Indexed Job may grow and shrink, when completions and parallelism change alike', async () => {
    await create('elastic', 'sleep 1000', { completionMode: 'Indexed', parallelism: 1, completions: 1 })
    const active = (count: number) =>
      eventually(`${count} are active`, async () => (await job('elastic')).status.active === count)
    await active(1)
    await api.patch(`${JOBS}/elastic`, { spec: { parallelism: 3, completions: 3 } })
    await active(3)
    await api.patch(`${JOBS}/elastic`, { spec: { parallelism: 2, completions: 2 } })
    await active(2)
    assert.deepEqual(
      (await podsOf('elastic'))
        .filter(({ metadata }) => !metadata.deletionTimestamp)
        .map(({ metadata }) => metadata.annotations?.[INDEX])
        .sort(),
      ['0', '1'],
    )
    const refused = await api.send<{ message: string }>(
      'PATCH',
      `${JOBS}/elastic`,
      { spec: { completions: 4 } },
      'application/merge-patch+json',
    )
    assert.equal(refused.code, 422)
    assert.match(
      refused.body.message,
      /spec\.completions: Invalid value: 4: can only be modified in tandem with spec\.parallelism/,
    )
    await api.delete(`${JOBS}/elastic`, { propagationPolicy: 'Background' })
  })

  test('what another controller looks after is left alone, and its status may be written', async () => {
    await create('theirs', 'exit 0', { managedBy: 'example.com/controller' })
    await create('ours', 'exit 0', {})
    await ends('ours', 'Complete', 'CompletionsReached')
    assert.equal((await podsOf('theirs')).length, 0)
    const startTime = '2026-01-02T03:04:05Z'
    await api.patch(`${JOBS}/theirs/status`, { status: { startTime, active: 1, ready: 1, terminating: 0 } })
    const { status } = await job('theirs')
    assert.deepEqual(status, { startTime, active: 1, ready: 1, terminating: 0 })
  })

  test('a Job takes back an orphan and lets go who has other labels', async () => {
    const { metadata } = await create('adopting', 'sleep 1000', { parallelism: 2, completions: 4 })
    const [pod] = await eventually('both run', async () => {
      const pods = await podsOf('adopting')
      return pods.length === 2 && pods.every(({ status }) => status.phase === 'Running') && pods
    })
    const path = `${PODS}/${pod!.metadata.name}`
    const owner = async () => (await api.get<Pod>(path)).metadata.ownerReferences?.[0]
    await api.patch(path, { metadata: { ownerReferences: null } })
    await eventually('it is taken back', async () => (await owner())?.uid === metadata.uid)
    assert.deepEqual([(await owner())?.kind, (await owner())?.controller], ['Job', true])
    await api.patch(path, { metadata: { labels: null } })
    await eventually('it is let go', async () => (await owner()) === undefined)
    await api.delete(`${JOBS}/adopting`, { propagationPolicy: 'Foreground' })
    await eventually('the Job is gone', async () => (await api.send('GET', `${JOBS}/adopting`)).code === 404)
  })

  test('deadline and number of failures end a Job', async () => {
    await create('late', 'sleep 1000', { activeDeadlineSeconds: 1, parallelism: 2 })
    await create('limit', 'exit 1', { backoffLimit: 0 })
    await ends('limit', 'Failed', 'BackoffLimitExceeded')
    await ends('late', 'Failed', 'DeadlineExceeded')
    assert.equal((await podsOf('limit')).length, 1)
  })
})
