// What clients do with Jobs and CronJobs without kubectl: every verb, the status subresource, collections.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CronJob, Job } from '../../src/api/types/batch-v1.ts'
import { ApiRequests, MERGE_PATCH } from './api-requests.ts'
import { eventually, TestCluster } from './test-cluster.ts'
import { type ListOf, NAMESPACE } from './workload-endpoints.fixture.ts'

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

const batch = (plural: string) => `/apis/batch/v1/${NAMESPACE}/${plural}`

const jobSpec = (script: string, spec: object = {}) => ({
  ...spec,
  template: {
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'busybox:1.30', command: ['sh', '-c', script] }],
    },
  },
})

test('a Job is created suspended, changed, released, listed, and deleted as a collection', async () => {
  const path = `${batch('jobs')}/life`
  const selector = 'labelSelector=e2e-job=life'
  const list = await api.get<ListOf<Job>>(`${batch('jobs')}?${selector}`)
  const watch = await api.watch<Job>(
    `${batch('jobs')}?${selector}&resourceVersion=${list.metadata.resourceVersion}`,
  )
  await api.post(batch('jobs'), {
    metadata: { name: 'life', labels: { 'e2e-job': 'life' } },
    spec: jobSpec('exit 0', { suspend: true, parallelism: 2, completions: 4 }),
  })
  await api.patch(path, { metadata: { labels: { life: 'patched' } } })
  await eventually('the watch shows the label', () =>
    watch.events.some(
      ({ type, object }) => type === 'MODIFIED' && object.metadata.labels?.life === 'patched',
    ),
  )
  await eventually('it is updated', async () => {
    const job = await api.get<Job>(path)
    const metadata = { ...job.metadata, annotations: { updated: 'true' } }
    const { code } = await api.send('PUT', path, { ...job, metadata, spec: { ...job.spec, suspend: false } })
    return code === 200
  })
  assert.equal((await api.get<ListOf<Job>>(`/apis/batch/v1/jobs?${selector}`)).items.length, 1)
  await eventually('it completes', async () => (await api.get<Job>(path)).status?.succeeded === 4)
  await api.delete(`${batch('jobs')}?${selector}`, { propagationPolicy: 'Background' })
  await eventually('the watch shows its end', () => watch.events.some(({ type }) => type === 'DELETED'))
  assert.equal((await api.get<ListOf<Job>>(`${batch('jobs')}?${selector}`)).items.length, 0)
  watch.stop()
})

test('conditions of others stay in the status of a Job', async () => {
  const path = `${batch('jobs')}/status`
  await api.post(batch('jobs'), {
    metadata: { name: 'status' },
    spec: jobSpec('sleep 1000', { parallelism: 2, completions: 4 }),
  })
  await eventually('it is active', async () => (await api.get<Job>(path)).status?.active === 2)
  const condition = {
    type: 'CustomConditionType',
    status: 'True',
    lastTransitionTime: '2026-01-02T03:04:05Z',
  }
  const patched = await api.patch<Job>(
    `${path}/status`,
    { metadata: { annotations: { patchedstatus: 'true' } }, status: { conditions: [condition] } },
    MERGE_PATCH,
  )
  assert.equal(patched.metadata.annotations?.patchedstatus, 'true')
  assert.partialDeepStrictEqual(patched.status.conditions, [condition])
  await eventually('the status is replaced', async () => {
    const job = await api.get<Job>(path)
    const conditions = job.status.conditions!.map(one => ({
      ...one,
      lastTransitionTime: '2026-01-02T03:04:06Z',
    }))
    const answer = await api.send<Job>('PUT', `${path}/status`, {
      ...job,
      status: { ...job.status, conditions },
    })
    if (answer.code === 409) return false
    assert.equal(answer.code, 200, JSON.stringify(answer.body))
    assert.equal(answer.body.status.conditions?.[0]?.lastTransitionTime, '2026-01-02T03:04:06Z')
    return true
  })
  assert.equal((await api.get<Job>(`${path}/status`)).metadata.uid, patched.metadata.uid)
  await api.delete(path, { propagationPolicy: 'Background' })
})

test('a CronJob takes every verb, its status too', async () => {
  const cronJob = (generateName: string) => ({
    metadata: { generateName, labels: { 'special-label': 'cron' } },
    spec: {
      schedule: '* */1 * * ?',
      concurrencyPolicy: 'Allow',
      suspend: true,
      jobTemplate: { spec: jobSpec('exit 0') },
    },
  })
  const group = await api.get<{ groups: { name: string; versions: { version: string }[] }[] }>('/apis')
  assert.ok(
    group.groups.some(
      ({ name, versions }) => name === 'batch' && versions.some(({ version }) => version === 'v1'),
    ),
  )
  const resources = await api.get<{ resources: { name: string }[] }>('/apis/batch/v1')
  assert.deepEqual(
    resources.resources.map(({ name }) => name).filter(name => name.startsWith('cronjobs')),
    ['cronjobs', 'cronjobs/status'],
  )
  const created = await api.post<CronJob>(batch('cronjobs'), cronJob('cron-'))
  const path = `${batch('cronjobs')}/${created.metadata.name}`
  assert.equal((await api.get<CronJob>(path)).metadata.uid, created.metadata.uid)
  const selector = 'labelSelector=special-label=cron'
  for (const all of ['/apis/batch/v1/cronjobs', batch('cronjobs')])
    assert.equal((await api.get<ListOf<CronJob>>(`${all}?${selector}`)).items.length, 1)
  const watch = await api.watch<CronJob>(
    `${batch('cronjobs')}?${selector}&resourceVersion=${created.metadata.resourceVersion}`,
  )
  const patched = await api.patch<CronJob>(
    path,
    { metadata: { annotations: { patched: 'true' } } },
    MERGE_PATCH,
  )
  assert.equal(patched.metadata.annotations?.patched, 'true')
  const updated = await api.put<CronJob>(path, {
    ...patched,
    metadata: { ...patched.metadata, annotations: { patched: 'true', updated: 'true' } },
  })
  assert.equal(updated.metadata.annotations?.updated, 'true')
  await eventually('the watch shows the update', () =>
    watch.events.some(
      ({ type, object }) => type === 'MODIFIED' && object.metadata.annotations?.updated === 'true',
    ),
  )
  const status = { lastScheduleTime: '2026-01-02T03:04:05Z' }
  const withStatus = await api.patch<CronJob>(
    `${path}/status`,
    { metadata: { annotations: { patchedstatus: 'true' } }, status },
    MERGE_PATCH,
  )
  assert.deepEqual(withStatus.status, status)
  assert.equal(withStatus.metadata.annotations?.patchedstatus, 'true')
  const replaced = await api.put<CronJob>(`${path}/status`, {
    ...withStatus,
    status: { lastScheduleTime: '2026-01-02T03:04:06Z' },
  })
  assert.equal(replaced.status?.lastScheduleTime, '2026-01-02T03:04:06Z')
  assert.equal((await api.get<CronJob>(`${path}/status`)).metadata.uid, created.metadata.uid)
  await api.delete(path)
  assert.equal((await api.send('GET', path)).code, 404)
  await eventually('the watch shows its end', () => watch.events.some(({ type }) => type === 'DELETED'))
  await api.post(batch('cronjobs'), cronJob('cron-'))
  await api.delete(`${batch('cronjobs')}?${selector}`)
  assert.equal((await api.get<ListOf<CronJob>>(`${batch('cronjobs')}?${selector}`)).items.length, 0)
  watch.stop()
})
