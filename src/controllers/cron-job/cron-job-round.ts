// One look at a CronJob: which of its Jobs have ended, is one due, and which old ones go.
// Upstream: syncCronJob and cleanupFinishedJobs in pkg/controller/cronjob/cronjob_controllerv2.go.
import type { Schedule } from '../../api/cron-schedule.ts'
import { ScheduleError } from '../../api/cron-schedule.ts'
import { jobs as jobResource } from '../../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import { TimeZone } from '../../api/time-zone.ts'
import type { CronJob, CronJobStatus, Job } from '../../api/types/batch-v1.ts'
import type { ObjectReference } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder, EventType } from '../../client/events/event-recorder.ts'
import { conditionOf, isFinished } from '../job/job-facts.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { isNamespaceTerminating, messageOf } from '../pod-control/pod-control.ts'
import { jobFromTemplate, jobName } from './job-from-template.ts'
import { oldestBeyond } from './old-jobs.ts'
import { dueTime, scheduleOf, untilNextMs } from './schedule-times.ts'

export interface CronJobRoundParts {
  client: Client
  recorder: Pick<EventRecorder, 'event'>
  now: number
  /** The CronJob as the server has it now. */
  fresh(): Promise<CronJob>
}

export interface CronJobOutcome {
  /** To be written; absent when nothing has changed. */
  status?: CronJobStatus
  againInMs?: number
  /** To be thrown when the status is written. */
  error?: unknown
}

export async function runCronJobRound(
  parts: CronJobRoundParts,
  cronJob: CronJob,
  jobs: readonly Job[],
): Promise<CronJobOutcome> {
  return new CronJobRound(parts, cronJob, jobs).run()
}

class CronJobRound {
  readonly #parts: CronJobRoundParts
  readonly #cronJob: CronJob
  readonly #jobs: readonly Job[]
  #status: CronJobStatus
  #changed = false

  constructor(parts: CronJobRoundParts, cronJob: CronJob, jobs: readonly Job[]) {
    this.#parts = parts
    this.#cronJob = cronJob
    this.#jobs = jobs
    this.#status = { ...cronJob.status, active: [...(cronJob.status.active ?? [])] }
  }

  async run(): Promise<CronJobOutcome> {
    let againInMs: number | undefined
    let error: unknown
    try {
      await this.#lookAtJobs()
      if (!this.#cronJob.metadata.deletionTimestamp) againInMs = await this.#schedule()
    } catch (failure) {
      error = failure
    }
    if (error === undefined) await this.#removeOld()
    return {
      ...(this.#changed && { status: this.#status }),
      ...(againInMs !== undefined && { againInMs }),
      ...(error !== undefined && { error }),
    }
  }

  async #lookAtJobs(): Promise<void> {
    for (const job of this.#jobs) await this.#lookAt(job)
    const known = new Set(this.#jobs.map(({ metadata }) => metadata.uid))
    for (const reference of this.#active) {
      if (!known.has(reference.uid!) && !(await this.#find(reference))) {
        this.#event('Normal', 'MissingJob', `Active job went missing: ${reference.name}`)
        this.#forget(reference.uid!)
      }
    }
  }

  async #lookAt(job: Job): Promise<void> {
    const { uid, name } = job.metadata
    const isListed = this.#active.some(reference => reference.uid === uid)
    if (!isListed && !isFinished(job)) {
      const { status } = await this.#parts.fresh()
      if (status.active?.some(reference => reference.uid === uid)) {
        this.#status = { ...status, active: [...(status.active ?? [])] }
        return
      }
      const message = `Saw a job that the controller did not create or forgot: ${name}`
      this.#event('Warning', 'UnexpectedJob', message)
    } else if (isListed && isFinished(job)) {
      this.#forget(uid)
      const condition = conditionOf(job, 'Complete') ? 'Complete' : 'Failed'
      this.#event('Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${condition}`)
      this.#noteSuccess(job)
    } else this.#noteSuccess(job)
  }

  #noteSuccess(job: Job): void {
    const { completionTime } = job.status
    if (!conditionOf(job, 'Complete') || !completionTime) return
    const { lastSuccessfulTime } = this.#status
    if (lastSuccessfulTime && Date.parse(completionTime) <= Date.parse(lastSuccessfulTime)) return
    this.#status.lastSuccessfulTime = completionTime
    this.#changed = true
  }

  /** Answers in how many milliseconds the next moment comes. */
  async #schedule(): Promise<number | undefined> {
    const { spec } = this.#cronJob
    if (spec.timeZone !== undefined && !TimeZone.find(spec.timeZone)) {
      const zone = JSON.stringify(spec.timeZone)
      const message = `invalid timeZone: ${zone}: unknown time zone ${spec.timeZone}`
      this.#event('Warning', 'UnknownTimeZone', message)
      return undefined
    }
    if (spec.suspend) return undefined
    const schedule = this.#parse()
    return schedule && this.#runDue(schedule)
  }

  #parse(): Schedule | undefined {
    const text = JSON.stringify(this.#cronJob.spec.schedule)
    if (text.includes('TZ')) {
      const message = `CRON_TZ or TZ used in schedule ${text} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`
      this.#event('Warning', 'UnsupportedSchedule', message)
    }
    try {
      return scheduleOf(this.#cronJob)
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error
      this.#event('Warning', 'UnparseableSchedule', `unparseable schedule: ${text} : ${error.message}`)
      return undefined
    }
  }

  async #runDue(schedule: Schedule): Promise<number | undefined> {
    const { now } = this.#parts
    const { spec } = this.#cronJob
    const due = dueTime(this.#cronJob, schedule, now)
    if (due.do === 'invalid') {
      const why = 'time difference between two schedules is less than 1 second'
      const message = `invalid schedule schedule: ${JSON.stringify(spec.schedule)} : ${why}`
      this.#event('Warning', 'InvalidSchedule', message)
      return undefined
    }
    if (due.do === 'run') {
      if (due.manyMissed) {
        const message =
          'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'
        this.#event('Warning', 'TooManyMissedTimes', message)
      }
      if (this.#mayStart(due.at)) await this.#start(due.at)
    }
    return untilNextMs({ ...this.#cronJob, status: this.#status }, schedule, now)
  }

  #mayStart(at: number): boolean {
    const { spec } = this.#cronJob
    const { startingDeadlineSeconds: deadline } = spec
    if (deadline !== undefined && at + deadline * 1_000 < this.#parts.now) {
      const message = `Missed scheduled time to start a job: ${new Date(at).toUTCString().replace('GMT', '+0000')}`
      this.#event('Warning', 'MissSchedule', message)
      return false
    }
    const name = jobName(this.#cronJob, at)
    if (this.#active.some(reference => reference.name === name)) return false
    if (this.#status.lastScheduleTime && Date.parse(this.#status.lastScheduleTime) === at) return false
    if (spec.concurrencyPolicy !== 'Forbid' || this.#active.length === 0) return true
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    this.#event('Normal', 'JobAlreadyActive', message)
    return false
  }

  async #start(at: number): Promise<void> {
    if (this.#cronJob.spec.concurrencyPolicy === 'Replace') await this.#replaceActive()
    const job = await this.#create(at)
    if (!job) return
    const { name, namespace, uid, resourceVersion } = job.metadata
    const reference = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      name,
      namespace: namespace!,
      uid,
      resourceVersion: resourceVersion!,
    }
    this.#status = {
      ...this.#status,
      active: [...this.#active, reference],
      lastScheduleTime: formatTime(at),
    }
    this.#changed = true
  }

  async #replaceActive(): Promise<void> {
    for (const reference of [...this.#active]) {
      const job = await this.#find(reference)
      if (!job) {
        this.#event('Warning', 'FailedGet', `Get job: jobs.batch "${reference.name}" not found`)
        throw new Error(`the active job ${reference.name} is gone`)
      }
      if (!(await this.#delete(job))) {
        throw new Error(`could not replace job ${job.metadata.namespace}/${job.metadata.name}`)
      }
    }
  }

  /** Answers the Job that is to be listed as active, if there is one. */
  async #create(at: number): Promise<Job | undefined> {
    const draft = jobFromTemplate(this.#cronJob, at)
    const { name, namespace } = draft.metadata
    try {
      const job = await this.#parts.client.create(jobResource, draft)
      this.#event('Normal', 'SuccessfulCreate', `Created job ${name}`)
      return job
    } catch (error) {
      if (isAlreadyExists(error)) {
        // Ours, when the status could not be written the last time.
        const job = await this.#find({ name, namespace: namespace! })
        return job && controllerOf(job)?.uid === this.#cronJob.metadata.uid ? job : undefined
      }
      if (!isNamespaceTerminating(error)) {
        this.#event('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`)
      }
      throw error
    }
  }

  async #removeOld(): Promise<void> {
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = this.#cronJob.spec
    const ended = (type: string) => this.#jobs.filter(job => conditionOf(job, type) !== undefined)
    const old = [
      ...oldestBeyond(successfulJobsHistoryLimit, ended('Complete')),
      ...oldestBeyond(failedJobsHistoryLimit, ended('Failed')),
    ]
    for (const job of old) await this.#delete(job)
  }

  async #delete(job: Job): Promise<boolean> {
    const { name, namespace, uid } = job.metadata
    const key = { name, namespace: namespace! }
    try {
      await this.#parts.client.delete(jobResource, key, { propagationPolicy: 'Background' })
    } catch (error) {
      if (!isNotFound(error)) {
        this.#event('Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`)
        return false
      }
    }
    this.#forget(uid)
    this.#event('Normal', 'SuccessfulDelete', `Deleted job ${name}`)
    this.#changed = true
    return true
  }

  async #find({ name, namespace }: ObjectReference): Promise<Job | undefined> {
    try {
      const key = { name: name!, namespace: namespace ?? this.#cronJob.metadata.namespace! }
      return await this.#parts.client.get(jobResource, key)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  get #active(): ObjectReference[] {
    return this.#status.active ?? []
  }

  #forget(uid: string): void {
    const active = this.#active.filter(reference => reference.uid !== uid)
    if (active.length === this.#active.length) return
    this.#status = { ...this.#status, active }
    this.#changed = true
  }

  #event(type: EventType, reason: string, message: string): void {
    this.#parts.recorder.event(this.#cronJob, type, reason, message)
  }
}
