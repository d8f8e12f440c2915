import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobs, pods } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { START } from '../testing/control-world.fixture.ts'
import { INDEX_ANNOTATION, TRACKING_FINALIZER } from './job-facts.ts'
import { JobLab } from './job-lab.fixture.ts'

const tracked = (pod: Pod) => pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true
const indexes = (list: readonly Pod[]) =>
  list.map(({ metadata }) => Number(metadata.annotations?.[INDEX_ANNOTATION]))

test('a Job runs one Pod, counts it when it has succeeded and is complete', async () => {
  await using lab = await JobLab.create()
  await lab.submit()
  const [pod] = await lab.active()
  assert.match(pod!.metadata.name, /^task-[a-z0-9]{5}$/)
  assert.ok(tracked(pod!))
  assert.deepEqual((await lab.job()).status, {
    active: 1,
    ready: 0,
    terminating: 0,
    startTime: '2026-01-01T00:00:00Z',
    uncountedTerminatedPods: {},
  })
  await lab.world.clock.advance(3_000)
  await lab.end(pod!, 'Succeeded')
  const { status } = await lab.job()
  const { conditions, ...counts } = status
  assert.deepEqual(counts, {
    ready: 0,
    terminating: 0,
    succeeded: 1,
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:00:03Z',
    uncountedTerminatedPods: {},
  })
  assert.deepEqual(
    conditions?.map(({ type, reason, message }) => [type, reason, message]),
    [
      ['SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods'],
      ['Complete', 'CompletionsReached', 'Reached expected number of succeeded pods'],
    ],
  )
  assert.deepEqual((await lab.all()).map(tracked), [false])
  assert.deepEqual(await lab.world.events(), [
    `Normal SuccessfulCreate: Created pod: ${pod!.metadata.name}`,
    'Normal Completed: Job completed',
  ])
})

test('no more Pods run at once than parallelism says, nor more than are still wanted', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ completions: 5, parallelism: 2 })
  const seen: number[] = []
  while ((await lab.active()).length > 0) {
    seen.push((await lab.active()).length)
    await lab.end((await lab.active())[0]!, 'Succeeded')
  }
  assert.deepEqual(seen, [2, 2, 2, 2, 1])
  assert.equal((await lab.all()).length, 5)
  assert.equal((await lab.job()).status.succeeded, 5)
})

test('a Job without completions is done when one Pod has succeeded and all have ended', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ parallelism: 3 })
  await lab.end((await lab.active())[0]!, 'Succeeded')
  assert.equal((await lab.active()).length, 2)
  assert.deepEqual(await lab.conditions(), [])
  await lab.endAll('Succeeded')
  assert.deepEqual(await lab.conditions(), [
    'SuccessCriteriaMet: CompletionsReached',
    'Complete: CompletionsReached',
  ])
})

test('a failed Pod is replaced after 10 s, then 20 s, then 40 s, and the limit ends the Job', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ backoffLimit: 3 })
  for (const seconds of [10, 20, 40]) {
    await lab.endAll('Failed')
    assert.equal((await lab.active()).length, 0)
    await lab.world.advance(seconds * 1_000 - 1)
    assert.equal((await lab.active()).length, 0, `not before ${seconds} s`)
    await lab.world.advance(1)
    assert.equal((await lab.active()).length, 1, `after ${seconds} s`)
  }
  await lab.endAll('Failed')
  assert.deepEqual(await lab.conditions(), [
    'FailureTarget: BackoffLimitExceeded',
    'Failed: BackoffLimitExceeded',
  ])
  assert.equal((await lab.job()).status.failed, 4)
  assert.equal(
    (await lab.world.events()).at(-1),
    'Warning BackoffLimitExceeded: Job has reached the specified backoff limit',
  )
})

test('Pods with restart policy OnFailure are counted by their restarts', async () => {
  await using lab = await JobLab.create()
  const template = { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main', image: 'busybox' }] } }
  await lab.submit({ backoffLimit: 2, template } as never)
  const [pod] = await lab.active()
  const containerStatuses = [{ name: 'main', image: '', imageID: '', ready: false, restartCount: 2 }]
  const status = { ...pod!.status, phase: 'Running', containerStatuses }
  await lab.world.client.update(pods, { ...pod!, status } as Pod, { subresource: 'status' })
  await lab.world.settle()
  assert.deepEqual(await lab.conditions(), [
    'FailureTarget: BackoffLimitExceeded',
    'Failed: BackoffLimitExceeded',
  ])
  assert.equal((await lab.all()).length, 0)
})

test('activeDeadlineSeconds ends the Job and its Pods at the second', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ activeDeadlineSeconds: 30, parallelism: 2, completions: 2 })
  await lab.world.advance(29_999)
  assert.deepEqual(await lab.conditions(), [])
  await lab.world.advance(1)
  assert.deepEqual(await lab.conditions(), ['FailureTarget: DeadlineExceeded', 'Failed: DeadlineExceeded'])
  assert.equal((await lab.all()).length, 0)
  assert.equal((await lab.job()).status.failed, 2)
})

test('an Indexed Job gives each Pod its index, by annotation, label, host name and variable', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ completions: 3, parallelism: 2, completionMode: 'Indexed' })
  const first = await lab.active()
  assert.deepEqual(indexes(first).sort(), [0, 1])
  const one = first.find(({ metadata }) => metadata.annotations?.[INDEX_ANNOTATION] === '1')!
  assert.match(one.metadata.name, /^task-1-[a-z0-9]{5}$/)
  assert.equal(one.metadata.labels?.[INDEX_ANNOTATION], '1')
  assert.equal(one.spec.hostname, 'task-1')
  assert.equal(one.spec.containers[0]!.env![0]!.name, 'JOB_COMPLETION_INDEX')
  await lab.end(one, 'Failed')
  await lab.world.advance(10_000)
  assert.deepEqual(indexes(await lab.active()).sort(), [0, 1])
  await lab.endAll('Succeeded')
  await lab.endAll('Succeeded')
  const { status } = await lab.job()
  assert.equal(status.completedIndexes, '0-2')
  assert.equal(status.failed, 1)
})

test('with a limit per index the others go on, and the Job fails when all indexes are settled', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 })
  const byIndex = async (index: number) =>
    (await lab.active()).find(({ metadata }) => metadata.annotations?.[INDEX_ANNOTATION] === String(index))
  await lab.end((await byIndex(0))!, 'Failed')
  assert.equal(await byIndex(0), undefined)
  await lab.world.advance(10_000)
  const again = (await byIndex(0))!
  assert.equal(again.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1')
  await lab.end(again, 'Failed')
  assert.equal((await lab.job()).status.failedIndexes, '0')
  assert.deepEqual(await lab.conditions(), [])
  await lab.end((await byIndex(1))!, 'Succeeded')
  const { status } = await lab.job()
  assert.deepEqual([status.completedIndexes, status.failedIndexes, status.failed], ['1', '0', 2])
  assert.deepEqual(await lab.conditions(), ['FailureTarget: FailedIndexes', 'Failed: FailedIndexes'])
})

test('too many failed indexes end the Job at once', async () => {
  await using lab = await JobLab.create()
  await lab.submit({
    completions: 4,
    parallelism: 4,
    completionMode: 'Indexed',
    backoffLimitPerIndex: 0,
    maxFailedIndexes: 1,
  })
  const [one, two] = await lab.active()
  await lab.end(one!, 'Failed')
  assert.deepEqual(await lab.conditions(), [])
  await lab.end(two!, 'Failed')
  assert.deepEqual(await lab.conditions(), [
    'FailureTarget: MaxFailedIndexesExceeded',
    'Failed: MaxFailedIndexesExceeded',
  ])
  assert.equal((await lab.active()).length, 0)
})

test('the pod failure policy fails the Job, ignores a disruption, or fails an index', async () => {
  await using lab = await JobLab.create()
  const podFailurePolicy = {
    rules: [
      { action: 'FailJob' as const, onExitCodes: { operator: 'In' as const, values: [42] } },
      { action: 'Ignore' as const, onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ],
  }
  await lab.submit({ backoffLimit: 0, podFailurePolicy })
  const [disrupted] = await lab.active()
  await lab.end(disrupted!, 'Failed', {
    exitCode: 137,
    conditions: [{ type: 'DisruptionTarget', status: 'True' }],
  })
  assert.deepEqual(await lab.conditions(), [])
  await lab.world.advance(10_000)
  const [wrong] = await lab.active()
  await lab.end(wrong!, 'Failed', { exitCode: 42 })
  assert.deepEqual(await lab.conditions(), ['FailureTarget: PodFailurePolicy', 'Failed: PodFailurePolicy'])
  const { status } = await lab.job()
  assert.equal(
    status.conditions?.at(-1)?.message,
    `Container main for pod default/${wrong!.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
  )
  assert.equal(status.failed, 1)
})

test('the success policy ends the Job as soon as the named indexes have succeeded', async () => {
  await using lab = await JobLab.create()
  const successPolicy = { rules: [{ succeededIndexes: '1-2', succeededCount: 1 }] }
  await lab.submit({ completions: 4, parallelism: 4, completionMode: 'Indexed', successPolicy })
  const leader = (await lab.active()).find(
    ({ metadata }) => metadata.annotations?.[INDEX_ANNOTATION] === '2',
  )!
  await lab.end(leader, 'Succeeded')
  assert.deepEqual(await lab.conditions(), ['SuccessCriteriaMet: SuccessPolicy', 'Complete: SuccessPolicy'])
  const { status } = await lab.job()
  assert.equal(status.conditions?.at(-1)?.message, 'Matched rules at index 0')
  assert.equal(status.completedIndexes, '2')
  assert.equal((await lab.active()).length, 0)
})

test('a suspended Job has no Pods; resumed it starts anew, and its failures are not counted', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ suspend: true })
  assert.equal((await lab.active()).length, 0)
  assert.deepEqual(await lab.conditions(), ['Suspended: JobSuspended'])
  assert.equal((await lab.job()).status.startTime, undefined)
  await lab.world.clock.advance(60_000)
  await lab.change(() => ({ suspend: false }))
  assert.equal((await lab.active()).length, 1)
  assert.equal((await lab.job()).status.startTime, '2026-01-01T00:01:00Z')
  await lab.change(() => ({ suspend: true }))
  assert.equal((await lab.all()).length, 0)
  const { status } = await lab.job()
  assert.deepEqual([status.failed, status.active], [undefined, undefined])
  assert.deepEqual(
    (await lab.world.events()).filter(event => !event.includes('pod')),
    ['Normal Suspended: Job suspended', 'Normal Resumed: Job resumed'],
  )
})

test('an elastic Indexed Job grows and shrinks with its completions', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ completions: 2, parallelism: 2, completionMode: 'Indexed' })
  await lab.change(() => ({ completions: 4, parallelism: 4 }))
  assert.deepEqual(indexes(await lab.active()).sort(), [0, 1, 2, 3])
  await lab.change(() => ({ completions: 1, parallelism: 1 }))
  assert.deepEqual(indexes(await lab.active()), [0])
  await lab.endAll('Succeeded')
  assert.equal((await lab.job()).status.completedIndexes, '0')
  assert.deepEqual(await lab.conditions(), [
    'SuccessCriteriaMet: CompletionsReached',
    'Complete: CompletionsReached',
  ])
})

test('a Pod that goes is replaced at once, or with policy Failed only when it is gone', async () => {
  await using lab = await JobLab.create()
  for (const podReplacementPolicy of ['TerminatingOrFailed', 'Failed'] as const) {
    const name = podReplacementPolicy.toLowerCase()
    await lab.submit({ podReplacementPolicy }, name)
    const ofJob = async () =>
      (await lab.all()).filter(({ metadata }) => metadata.labels?.['job-name'] === name)
    const [pod] = await ofJob()
    await lab.world.client.patch(
      pods,
      { name: pod!.metadata.name, namespace: 'default' },
      'application/merge-patch+json',
      { metadata: { finalizers: [...pod!.metadata.finalizers!, 'example.com/hold'] } },
    )
    await lab.world.client.delete(pods, { name: pod!.metadata.name, namespace: 'default' })
    await lab.world.advance(10_000)
    const terminating = (await lab.job(name)).status.terminating
    assert.deepEqual(
      [terminating, (await ofJob()).length],
      podReplacementPolicy === 'Failed' ? [1, 1] : [1, 2],
    )
  }
})

test('a Job managed by somebody else is left alone', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ managedBy: 'example.com/other' })
  assert.equal((await lab.all()).length, 0)
  assert.deepEqual((await lab.job()).status, {})
})

test('a Job that is deleted lets its Pods go', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ parallelism: 3, completions: 3 })
  await lab.world.client.delete(
    jobs,
    { name: 'task', namespace: 'default' },
    { propagationPolicy: 'Background' },
  )
  await lab.world.settle()
  assert.deepEqual((await lab.all()).map(tracked), [false, false, false])
})

test('a Pod without owner whose labels fit is adopted, with the finalizer', async () => {
  await using lab = await JobLab.create()
  const labels = { mine: 'yes' }
  await lab.world.client.create<Pod>(pods, {
    metadata: { name: 'stray', namespace: 'default', labels },
    spec: { containers: [{ name: 'main', image: 'busybox' }], restartPolicy: 'Never' },
  } as never)
  const spec = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] }
  await lab.submit({
    manualSelector: true,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec },
  } as never)
  const [stray, ...more] = await lab.all()
  assert.equal(more.length, 0)
  assert.equal(stray!.metadata.ownerReferences?.[0]?.name, 'task')
  assert.ok(tracked(stray!))
  await lab.end(stray!, 'Succeeded')
  assert.equal((await lab.job()).status.succeeded, 1)
  assert.equal(lab.world.clock.now(), START)
})

test('a Pod that loses its owner is taken back, and one that loses its labels is let go', async () => {
  await using lab = await JobLab.create()
  await lab.submit({ parallelism: 2, completions: 2 })
  const change = async (pod: Pod, metadata: object) => {
    const { name } = pod.metadata
    const current = await lab.world.client.get(pods, { name, namespace: 'default' })
    await lab.world.client.update(pods, { ...current, metadata: { ...current.metadata, ...metadata } })
    await lab.world.settle()
    return lab.world.client.get(pods, { name, namespace: 'default' })
  }
  const [one, two] = await lab.active()
  const back = await change(one!, { ownerReferences: [] })
  assert.deepEqual([back.metadata.ownerReferences?.[0]?.name, tracked(back)], ['task', true])
  const released = await change(two!, { labels: {} })
  assert.deepEqual([released.metadata.ownerReferences, tracked(released)], [undefined, false])
  assert.equal((await lab.all()).length, 3)
})
