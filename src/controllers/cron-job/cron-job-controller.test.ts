import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { cronJobs, jobs } from '../../api/resources.ts'
import { formatTime } from '../../api/time.ts'
import type { CronJob, CronJobSpec, Job } from '../../api/types/batch-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { CronJobController } from './cron-job-controller.ts'

const MINUTE = 60_000
const KEY = { name: 'backup', namespace: 'default' }
const jobSpec = {
  template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } },
}

/** A world with the controller and, unless it is told not to begin, the CronJob 'backup'. */
class CronLab {
  readonly world: ControlWorld

  constructor(world: ControlWorld) {
    this.world = world
  }

  static async create(spec: Partial<CronJobSpec> = {}, startAt?: number): Promise<CronLab> {
    const lab = new CronLab(await ControlWorld.create(startAt === undefined ? {} : { startAt }))
    lab.run()
    await lab.submit(spec)
    return lab
  }

  run(): () => Promise<void> {
    const { client, clock, log } = this.world
    return this.world.start(signal => new CronJobController({ client, clock, log }).run(signal))
  }

  async submit(spec: Partial<CronJobSpec>): Promise<void> {
    await this.world.client.create(cronJobs, {
      metadata: KEY,
      spec: { schedule: '* * * * *', jobTemplate: { metadata: {}, spec: jobSpec }, ...spec },
    } as unknown as Draft<CronJob>)
    await this.world.settle()
  }

  cronJob(): Promise<CronJob> {
    return this.world.client.get(cronJobs, KEY)
  }

  async jobs(): Promise<string[]> {
    return (await this.world.names(jobs)).sort()
  }

  async finish(name: string, type: 'Complete' | 'Failed' = 'Complete'): Promise<void> {
    const { client, clock } = this.world
    const job = await client.get(jobs, { name, namespace: 'default' })
    const at = formatTime(clock.now())
    const interim = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
    const conditions = [interim, type].map(one => ({ type: one, status: 'True', lastTransitionTime: at }))
    const status = {
      startTime: job.metadata.creationTimestamp!,
      conditions,
      ...(type === 'Complete' && { completionTime: at, succeeded: 1 }),
    }
    await client.update(jobs, { ...job, status } as Job, { subresource: 'status' })
    await this.world.settle()
  }

  async reasons(): Promise<string[]> {
    return (await this.world.events()).map(event => event.split(' ')[1]!.slice(0, -1))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]()
  }
}

/** 2026-01-01T00:01:00Z in minutes. */
const FIRST = Date.parse('2026-01-01T00:01:00Z') / MINUTE

test('a Job starts at each moment of the schedule, named after it, and history is kept short', async () => {
  await using lab = await CronLab.create({ successfulJobsHistoryLimit: 2 })
  assert.deepEqual(await lab.jobs(), [])
  await lab.world.advance(MINUTE + 100)
  assert.deepEqual(await lab.jobs(), [`backup-${FIRST}`])
  const { status } = await lab.cronJob()
  assert.equal(status.lastScheduleTime, '2026-01-01T00:01:00Z')
  assert.deepEqual(
    status.active?.map(({ kind, name }) => [kind, name]),
    [['Job', `backup-${FIRST}`]],
  )
  const job = await lab.world.client.get(jobs, { name: `backup-${FIRST}`, namespace: 'default' })
  assert.deepEqual(job.metadata.annotations, {
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z',
  })
  assert.equal(job.metadata.ownerReferences?.[0]?.kind, 'CronJob')
  for (let minute = 0; minute < 3; minute++) {
    await lab.finish(`backup-${FIRST + minute}`)
    await lab.world.advance(MINUTE)
  }
  assert.deepEqual(
    await lab.jobs(),
    [1, 2, 3].map(minute => `backup-${FIRST + minute}`),
  )
  const { status: later } = await lab.cronJob()
  assert.deepEqual(
    later.active?.map(({ name }) => name),
    [`backup-${FIRST + 3}`],
  )
  assert.equal(later.lastSuccessfulTime, '2026-01-01T00:03:00Z')
  assert.deepEqual((await lab.reasons()).slice(0, 3), [
    'SuccessfulCreate',
    'SawCompletedJob',
    'SuccessfulCreate',
  ])
})

test('Forbid leaves out a moment while a Job runs; Replace puts the new one in its place', async () => {
  await using forbid = await CronLab.create({ concurrencyPolicy: 'Forbid' })
  await forbid.world.advance(2 * MINUTE + 100)
  await forbid.world.settle()
  assert.deepEqual(await forbid.jobs(), [`backup-${FIRST}`])
  assert.ok((await forbid.reasons()).includes('JobAlreadyActive'))
  await using replace = await CronLab.create({ concurrencyPolicy: 'Replace' })
  await replace.world.advance(MINUTE + 100)
  await replace.world.advance(MINUTE)
  assert.deepEqual(await replace.jobs(), [`backup-${FIRST + 1}`])
  assert.deepEqual(
    (await replace.cronJob()).status.active?.map(({ name }) => name),
    [`backup-${FIRST + 1}`],
  )
})

test('with a deadline, what is too late is not started; without one the newest moment is made up for', async () => {
  for (const startingDeadlineSeconds of [20, undefined]) {
    const lab = new CronLab(await ControlWorld.create())
    await lab.submit({
      schedule: '*/10 * * * *',
      ...(startingDeadlineSeconds && { startingDeadlineSeconds }),
    })
    await lab.world.clock.advance(25 * MINUTE)
    lab.run()
    await lab.world.settle()
    assert.deepEqual(await lab.jobs(), startingDeadlineSeconds ? [] : [`backup-${FIRST + 19}`])
    await lab.world[Symbol.asyncDispose]()
  }
})

test('more than a hundred moments missed are told, and the newest is made up for', async () => {
  await using lab = new CronLab(await ControlWorld.create())
  await lab.submit({})
  await lab.world.clock.advance(150 * MINUTE)
  lab.run()
  await lab.world.settle()
  assert.deepEqual(await lab.jobs(), [`backup-${FIRST + 149}`])
  assert.ok(
    (await lab.world.events()).includes(
      'Warning TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    ),
  )
})

test('a suspended CronJob waits, and begins with the next moment when it is resumed', async () => {
  await using lab = await CronLab.create({ suspend: true, startingDeadlineSeconds: 30 })
  await lab.world.advance(5 * MINUTE + 40_000)
  assert.deepEqual(await lab.jobs(), [])
  const cronJob = await lab.cronJob()
  await lab.world.client.update(cronJobs, { ...cronJob, spec: { ...cronJob.spec, suspend: false } })
  await lab.world.settle()
  assert.deepEqual(await lab.jobs(), [])
  await lab.world.advance(21_000)
  assert.deepEqual(await lab.jobs(), [`backup-${FIRST + 5}`])
})

test('the time zone counts, and is written into the annotation', async () => {
  await using lab = await CronLab.create({ schedule: '30 1 * * *', timeZone: 'Europe/Berlin' })
  await lab.world.advance(30 * MINUTE + 100)
  const [name] = await lab.jobs()
  const job = await lab.world.client.get(jobs, { name: name!, namespace: 'default' })
  assert.equal(
    job.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'],
    '2026-01-01T01:30:00+01:00',
  )
})

test('failed Jobs have a history of their own', async () => {
  await using lab = await CronLab.create({})
  for (let minute = 0; minute < 3; minute++) {
    await lab.world.advance(minute === 0 ? MINUTE + 100 : MINUTE)
    await lab.finish(`backup-${FIRST + minute}`, 'Failed')
  }
  assert.deepEqual(await lab.jobs(), [`backup-${FIRST + 2}`])
  assert.equal((await lab.cronJob()).status.lastSuccessfulTime, undefined)
})

test('an active Job that is deleted by hand is forgotten', async () => {
  await using lab = await CronLab.create({ concurrencyPolicy: 'Forbid' })
  await lab.world.advance(MINUTE + 100)
  const key = { name: `backup-${FIRST}`, namespace: 'default' }
  await lab.world.client.delete(jobs, key, { propagationPolicy: 'Background' })
  await lab.world.advance(MINUTE)
  assert.deepEqual(await lab.jobs(), [`backup-${FIRST + 1}`])
  assert.ok(
    (await lab.world.events()).includes(`Normal MissingJob: Active job went missing: backup-${FIRST}`),
  )
})
