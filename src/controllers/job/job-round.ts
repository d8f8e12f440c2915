// One look at a Job: what its Pods amount to, what is to be created or removed, and what its status says.
// Upstream: syncJob and trackJobStatusAndRemoveFinalizers.
import { isDeepStrictEqual } from 'node:util'
import { jobs } from '../../api/resources.ts'
import { formatTime } from '../../api/time.ts'
import type { Job, JobCondition, JobStatus } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events/event-recorder.ts'
import type { Assessment } from './assess-job.ts'
import { assessJob } from './assess-job.ts'
import { decidePods } from './decide-pods.ts'
import { newCondition, withCondition } from './job-conditions.ts'
import { isSuspended, isTracked } from './job-facts.ts'
import type { JobPods } from './job-pods.ts'
import type { BackOffRecord } from './pod-back-off.ts'
import { finishedStatus, type Tracking, trackPods, withoutReleased } from './track-pods.ts'

export interface JobRoundParts {
  client: Client
  recorder: Pick<EventRecorder, 'event'>
  pods: JobPods
  now: number
  backOff: BackOffRecord
  /** The informer shows everything that was asked for. */
  satisfied: boolean
  /** Once the status with these failures is written. */
  backOffChanged(record: BackOffRecord): void
}

interface Counts {
  active: number
  ready: number
  terminating: number
}

/** Answers in how many milliseconds the Job is to be looked at again, if at all. */
export async function runJobRound(
  parts: JobRoundParts,
  job: Job,
  pods: readonly Pod[],
): Promise<number | undefined> {
  return new JobRound(parts, job, pods).run()
}

class JobRound {
  readonly #parts: JobRoundParts
  /** As the informer shows it. */
  readonly #before: Job
  readonly #assessment: Assessment
  readonly #counts: Counts
  #status: JobStatus
  #ending: JobCondition | undefined
  #waitMs: number | undefined
  #error: unknown

  constructor(parts: JobRoundParts, job: Job, pods: readonly Pod[]) {
    const { now, backOff } = parts
    this.#parts = parts
    this.#before = job
    const { startTime } = job.status
    this.#status = {
      ...job.status,
      uncountedTerminatedPods: job.status.uncountedTerminatedPods ?? {},
      ...(startTime === undefined && !isSuspended(job) && { startTime: formatTime(now) }),
    }
    this.#assessment = assessJob({ ...job, status: this.#status }, pods, backOff, now)
    const { active, ready, terminating, ending, deadlineInMs } = this.#assessment
    this.#counts = { active: active.length, ready, terminating }
    this.#ending = ending
    this.#waitMs = deadlineInMs
  }

  async run(): Promise<number | undefined> {
    if (this.#ending) await this.#removeAll()
    else await this.#goOn()
    await this.#track()
    if (this.#error !== undefined) throw this.#error
    return this.#waitMs
  }

  /** It cannot end while a Pod may be left that nobody has seen. */
  async #removeAll(): Promise<void> {
    const { active } = this.#assessment
    const removed = await this.#remove(active, false)
    if (removed !== active.length || !this.#parts.satisfied) this.#ending = undefined
  }

  async #goOn(): Promise<void> {
    const { satisfied, now } = this.#parts
    const mayAct = satisfied && !this.#before.metadata.deletionTimestamp
    if (mayAct) await this.#manage()
    if (this.#isComplete()) {
      const message = 'Reached expected number of succeeded pods'
      this.#ending = newCondition('SuccessCriteriaMet', 'CompletionsReached', message, now)
    } else if (mayAct) this.#tellSuspension()
  }

  async #manage(): Promise<void> {
    const { now, pods } = this.#parts
    const { job, replaced } = this.#assessment
    const step = decidePods(this.#assessment, now)
    if (step.do === 'wait') this.#waitMs = Math.min(step.ms, this.#waitMs ?? step.ms)
    else if (step.do === 'remove') await this.#remove(step.pods, true)
    else if (step.do === 'create') {
      const { created, error } = await pods.create(job, step.count, step.indexes, replaced)
      this.#counts.active += created
      this.#error ??= error
    }
  }

  async #remove(victims: readonly Pod[], uncounted: boolean): Promise<number> {
    const { pods } = this.#parts
    const { removed, removedReady, error } = await pods.remove(this.#assessment.job, victims, { uncounted })
    this.#counts.active -= removed
    this.#counts.ready -= removedReady
    this.#counts.terminating += removed
    this.#error ??= error
    return removed
  }

  #isComplete(): boolean {
    const { succeeded, job } = this.#assessment
    return this.#counts.active === 0 && succeeded >= (job.spec.completions ?? 1)
  }

  #tellSuspension(): void {
    const { now, recorder } = this.#parts
    const condition = isSuspended(this.#before)
      ? newCondition('Suspended', 'JobSuspended', 'Job suspended', now)
      : newCondition('Suspended', 'JobResumed', 'Job resumed', now, 'False')
    const before = this.#status.conditions ?? []
    const conditions = withCondition(before, condition)
    if (conditions === before) return
    this.#status = { ...this.#status, conditions: [...conditions] }
    if (condition.status === 'False') this.#status.startTime = formatTime(now)
    const reason = condition.status === 'True' ? 'Suspended' : 'Resumed'
    recorder.event(this.#before, 'Normal', reason, condition.message!)
  }

  /** First the status that names the Pods to be counted, then their finalizers, then the status that counts them. */
  async #track(): Promise<void> {
    const { now, backOffChanged, pods } = this.#parts
    const found = { ...this.#status, ...this.#counts }
    const tracking = trackPods(this.#assessment, found, this.#ending, now)
    let job = this.#before
    let status = tracking.status
    if (differ(status, job.status)) {
      job = await this.#write(job, status)
      backOffChanged(this.#assessment.backOff)
    }
    const { uids, error } = await pods.release(job, tracking.release)
    const counted = withoutReleased(status, this.#stillTracked(uids))
    if (error !== undefined) {
      if (differ(counted, status)) await this.#write(job, counted)
      throw error
    }
    status = finishedStatus(counted, tracking, this.#counts.terminating) ?? counted
    if (!differ(status, job.status)) return
    job = await this.#write(job, status)
    if (status !== counted) this.#tellEnd(job, tracking)
  }

  #stillTracked(released: ReadonlySet<string>): Set<string> {
    const tracked = this.#assessment.pods.filter(isTracked).map(({ metadata }) => metadata.uid)
    return new Set(tracked.filter(uid => !released.has(uid)))
  }

  async #write(job: Job, status: JobStatus): Promise<Job> {
    return this.#parts.client.update(jobs, { ...job, status }, { subresource: 'status' })
  }

  #tellEnd(job: Job, { final }: Tracking): void {
    const { recorder } = this.#parts
    if (final?.type !== 'Complete') {
      recorder.event(job, 'Warning', final?.reason ?? '', final?.message ?? '')
      return
    }
    if (job.spec.completions !== undefined && (job.status.succeeded ?? 0) > job.spec.completions) {
      const message = 'Too many succeeded pods running after completion count reached'
      recorder.event(job, 'Warning', 'TooManySucceededPods', message)
    }
    recorder.event(job, 'Normal', 'Completed', 'Job completed')
  }
}

function differ(one: JobStatus, two: JobStatus): boolean {
  return !isDeepStrictEqual(comparable(one), comparable(two))
}

/** The server leaves out what is 0 or empty. */
function comparable(status: JobStatus): object {
  const { active, succeeded, failed, completedIndexes, uncountedTerminatedPods, ...rest } = status
  return {
    ...rest,
    active: active ?? 0,
    succeeded: succeeded ?? 0,
    failed: failed ?? 0,
    completedIndexes: completedIndexes ?? '',
    uncounted: [uncountedTerminatedPods?.succeeded ?? [], uncountedTerminatedPods?.failed ?? []],
  }
}
